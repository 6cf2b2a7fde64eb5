package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"nodeway.test/conformance"
)

// opener opens a client by a snippet, with one set of options.
type opener func() (redis.UniversalClient, error)

func way() (opener, error) {
	switch way := conformance.Way(); way {
	case "per-node", "shared":
		return func() (redis.UniversalClient, error) { return perNode(redis.ClusterOptions{}) }, nil
	case "envoy-resp2", "envoy-resp3":
		return func() (redis.UniversalClient, error) { return envoy(redis.Options{}) }, nil
	default:
		return nil, fmt.Errorf("LAB_WAY is no way: %q", way)
	}
}

// lab is what a behaviour has to work with.
type lab struct {
	open opener
	keys conformance.Keys
}

// with gives a check a client of its own.
func (l lab) with(
	open opener, check func(context.Context, lab, redis.UniversalClient) (string, error),
) conformance.Check {
	return func(ctx context.Context) (string, error) {
		client, err := open()
		if err != nil {
			return "", err
		}
		defer client.Close()
		return check(ctx, l, client)
	}
}
