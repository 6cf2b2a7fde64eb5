package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

const (
	clientTTL    = time.Minute
	invalidation = 5 * time.Second
)

// clientSideCaching sees in each shard that a second read is answered from the cache until another client writes.
func clientSideCaching(keys conformance.Keys) conformance.Check {
	return func(ctx context.Context) (string, error) {
		invalidated := make(chan struct{}, 1)
		reader, err := open(rueidis.ClientOption{OnInvalidations: func([]rueidis.RedisMessage) {
			select {
			case invalidated <- struct{}{}:
			default: // this callback must not block: the connection has other messages
			}
		}})
		if err != nil {
			return "", err
		}
		defer reader.Close()
		writer, err := open(rueidis.ClientOption{})
		if err != nil {
			return "", err
		}
		defer writer.Close()
		cached := keys.Spread(6, "cached")
		for _, key := range cached {
			if err := cacheOnce(ctx, reader, writer, key, invalidated); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d hits, %d invalidations", len(cached), len(cached)), nil
	}
}

func cacheOnce(ctx context.Context, reader, writer rueidis.Client, key string, invalidated <-chan struct{}) error {
	if err := writer.Do(ctx, writer.B().Set().Key(key).Value("old").Build()).Error(); err != nil {
		return err
	}
	if err := reads(ctx, reader, key, "old", false); err != nil {
		return err
	}
	if err := reads(ctx, reader, key, "old", true); err != nil {
		return err
	}
	if err := writer.Do(ctx, writer.B().Set().Key(key).Value("new").Build()).Error(); err != nil {
		return err
	}
	select {
	case <-invalidated:
	case <-time.After(invalidation):
		return errors.New("no invalidation in 5 s")
	}
	return reads(ctx, reader, key, "new", false)
}

func reads(ctx context.Context, reader rueidis.Client, key, value string, hit bool) error {
	answer := reader.DoCache(ctx, reader.B().Get().Key(key).Cache(), clientTTL)
	got, err := answer.ToString()
	if err != nil {
		return err
	}
	if got != value || answer.IsCacheHit() != hit {
		return fmt.Errorf("DoCache answered %q, from the cache: %t", got, answer.IsCacheHit())
	}
	return nil
}
