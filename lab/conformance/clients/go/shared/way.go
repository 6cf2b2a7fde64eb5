// Package conformance is what the Go clients' programs have in common: the behaviours' result lines, the keys, and the
// bookkeeping of the load. It knows no client.
package conformance

import (
	"os"
	"strings"
)

// Way is how the program is to reach the cluster: per-node, shared, envoy-resp2 or envoy-resp3.
func Way() string { return os.Getenv("LAB_WAY") }

// Plain says that the client sees one endpoint, Envoy, and no cluster.
func Plain() bool { return strings.HasPrefix(Way(), "envoy-") }
