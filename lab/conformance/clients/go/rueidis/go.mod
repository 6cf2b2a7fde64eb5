module nodeway.test/rueidis

go 1.26.0

require (
	github.com/redis/rueidis v1.0.79
	nodeway.test/conformance v0.0.0
)

require golang.org/x/sys v0.47.0 // indirect

replace nodeway.test/conformance => ../shared
