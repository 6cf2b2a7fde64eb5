package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

const (
	lifetime     = time.Second
	observed     = 4 * lifetime
	replacements = 2 // at least, while observed: each costs a lifetime and the time to dial again
)

// nodesLifetime writes all the while and asks each node for the number of our connection: it changes, and no write fails.
func nodesLifetime(ctx context.Context, keys conformance.Keys, client rueidis.Client) (string, error) {
	nodes := client.Nodes()
	numbers := make(map[string]map[int64]struct{}, len(nodes))
	for address := range nodes {
		numbers[address] = make(map[int64]struct{})
	}
	writes, err := steadily(ctx, keys, client, func() error {
		for address, node := range nodes {
			number, err := node.Do(ctx, node.B().ClientId().Build()).AsInt64()
			if err != nil {
				return fmt.Errorf("%s: %w", address, err)
			}
			numbers[address][number] = struct{}{}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	fewest := math.MaxInt
	for address, own := range numbers {
		if len(own) <= replacements {
			return "", fmt.Errorf("%s had %d connections in %s", address, len(own), observed)
		}
		fewest = min(fewest, len(own))
	}
	return fmt.Sprintf("each of %d nodes saw %d or more connections in %s, no error in %d writes",
		len(nodes), fewest, observed, writes), nil
}

// endpointLifetime counts what is dialled instead, since Envoy has no CLIENT ID.
func endpointLifetime(keys conformance.Keys) conformance.Check {
	return func(ctx context.Context) (string, error) {
		var seen dials
		client, err := open(rueidis.ClientOption{ConnLifetime: lifetime, DialCtxFn: seen.dial})
		if err != nil {
			return "", err
		}
		defer client.Close()
		writes, err := steadily(ctx, keys, client, func() error { return nil })
		if err != nil {
			return "", err
		}
		if seen.connections() <= replacements {
			return "", fmt.Errorf("%d connections in %s", seen.connections(), observed)
		}
		return fmt.Sprintf("%d connections in %s, no error in %d writes", seen.connections(), observed, writes), nil
	}
}

// steadily writes into all shards for a while, looks now and then, and stops at the first error.
func steadily(ctx context.Context, keys conformance.Keys, client rueidis.Client, look func() error) (int, error) {
	writes := 0
	for began := time.Now(); time.Since(began) < observed; time.Sleep(10 * time.Millisecond) {
		for _, key := range keys.Spread(12, "lifetime") {
			if err := client.Do(ctx, client.B().Set().Key(key).Value("here").Build()).Error(); err != nil {
				return 0, fmt.Errorf("after %d writes: %w", writes, err)
			}
			writes++
		}
		if err := look(); err != nil {
			return 0, err
		}
	}
	return writes, nil
}
