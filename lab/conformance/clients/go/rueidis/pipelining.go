package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

const (
	callers   = 2000
	oversized = 9000 // in each shard beyond BlockingPipeline, so that rueidis takes connections of its own for it
)

// pipelining sees rueidis's two kinds: DoMulti over all shards, and single commands of many goroutines, which it joins itself.
func pipelining(keys conformance.Keys) conformance.Check {
	return func(ctx context.Context) (string, error) {
		var seen dials
		client, err := open(rueidis.ClientOption{DialCtxFn: seen.dial})
		if err != nil {
			return "", err
		}
		defer client.Close()
		if err := concurrently(ctx, client, keys.Spread(callers, "concurrent")); err != nil {
			return "", err
		}
		connections := seen.connections()
		writes := make(rueidis.Commands, 0, oversized)
		for _, key := range keys.Spread(oversized, "multi") {
			writes = append(writes, client.B().Set().Key(key).Value(key).Build())
		}
		for _, answer := range client.DoMulti(ctx, writes...) {
			if err := answer.Error(); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d goroutines on %d connections, %d commands at once on %d more",
			callers, connections, oversized, seen.connections()-connections), nil
	}
}

func concurrently(ctx context.Context, client rueidis.Client, keys []string) error {
	failures := make(chan error, len(keys))
	var running sync.WaitGroup
	for _, key := range keys {
		running.Go(func() {
			if err := client.Do(ctx, client.B().Set().Key(key).Value(key).Build()).Error(); err != nil {
				failures <- err
			} else if value, err := client.Do(ctx, client.B().Get().Key(key).Build()).ToString(); err != nil {
				failures <- err
			} else if value != key {
				failures <- fmt.Errorf("GET %s answered %q", key, value)
			}
		})
	}
	running.Wait()
	close(failures)
	return <-failures
}
