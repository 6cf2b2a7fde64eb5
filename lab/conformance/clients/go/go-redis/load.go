package main

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"nodeway.test/conformance"
)

const (
	dialTimeout = 4 * time.Second
	readTimeout = 2 * time.Second
	reload      = 5 * time.Second
)

func load(l lab) error {
	client, err := carefully()
	if err != nil {
		return err
	}
	defer client.Close()
	return conformance.Load(conformance.Store{
		Set: func(ctx context.Context, key, value string) error {
			return client.Set(ctx, key, value, 0).Err()
		},
		Get: func(ctx context.Context, key string) (string, error) {
			value, err := client.Get(ctx, key).Result()
			if errors.Is(err, redis.Nil) {
				return "", nil
			}
			return value, err
		},
	}, l.keys)
}

// carefully opens a client with the time-outs of a careful user: go-redis's own are 5 s, it does not heed a context's, and
// it would ask only each minute who leads a shard whose primary does not answer any more.
func carefully() (redis.UniversalClient, error) {
	if conformance.Plain() {
		return envoy(redis.Options{
			DialTimeout: dialTimeout, ReadTimeout: readTimeout, ContextTimeoutEnabled: true,
		})
	}
	return perNode(redis.ClusterOptions{
		DialTimeout: dialTimeout, ReadTimeout: readTimeout, ContextTimeoutEnabled: true, ClusterStateReloadInterval: reload,
	})
}
