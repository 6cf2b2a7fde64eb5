module nodeway.test/conformance

go 1.26.0
