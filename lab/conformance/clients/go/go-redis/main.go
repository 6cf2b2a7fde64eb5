// The conformance program of go-redis, through the very snippets that the documentation shows.
package main

import (
	"time"

	"github.com/redis/go-redis/v9"

	"nodeway.test/conformance"
)

// The time-outs of a careful user: go-redis's own are 5 s, it does not heed a context's, and it would ask only each minute
// who leads a shard whose primary does not answer any more.
const (
	dialTimeout = 4 * time.Second
	readTimeout = 2 * time.Second
	reload      = 5 * time.Second
)

func main() {
	conformance.Main(conformance.Program{Name: "go-redis", Open: open})
}

func open(options conformance.Options) (conformance.Client, error) {
	if conformance.ByEnvoy() {
		var own redis.Options
		if options == conformance.CarefulTimeouts {
			own = redis.Options{DialTimeout: dialTimeout, ReadTimeout: readTimeout, ContextTimeoutEnabled: true}
		}
		return opened(envoy(own))
	}
	var own redis.ClusterOptions
	switch options {
	case conformance.CarefulTimeouts:
		own = redis.ClusterOptions{
			DialTimeout: dialTimeout, ReadTimeout: readTimeout, ContextTimeoutEnabled: true, ClusterStateReloadInterval: reload,
		}
	case conformance.FromReplicas:
		own = redis.ClusterOptions{ReadOnly: true}
	}
	return opened(perNode(own))
}

func opened[C redis.UniversalClient](found C, err error) (conformance.Client, error) {
	if err != nil {
		return nil, err
	}
	return adapter{found}, nil
}
