package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"nodeway.test/conformance"
)

const batch = 1024

// allSlots writes and reads a key in each slot, in pipelines.
func allSlots(ctx context.Context, l lab, client redis.UniversalClient) (string, error) {
	keys := l.keys.Spread(conformance.Slots, "slot")
	for part := range slices.Chunk(keys, batch) {
		if _, err := client.Pipelined(ctx, func(writes redis.Pipeliner) error {
			for _, key := range part {
				writes.Set(ctx, key, "value of "+key, 0)
			}
			return nil
		}); err != nil {
			return "", err
		}
	}
	for part := range slices.Chunk(keys, batch) {
		answers := make([]*redis.StringCmd, len(part))
		if _, err := client.Pipelined(ctx, func(reads redis.Pipeliner) error {
			for i, key := range part {
				answers[i] = reads.Get(ctx, key)
			}
			return nil
		}); err != nil {
			return "", err
		}
		for i, answer := range answers {
			if answer.Val() != "value of "+part[i] {
				return "", fmt.Errorf("GET %s answered %q", part[i], answer.Val())
			}
		}
	}
	return "", nil
}

// pipeline500 sends 500 commands to all shards at once; each GET must see the SET before it.
func pipeline500(ctx context.Context, l lab, client redis.UniversalClient) (string, error) {
	keys := l.keys.Spread(250, "pipeline")
	reads := make([]*redis.StringCmd, len(keys))
	if _, err := client.Pipelined(ctx, func(pipeline redis.Pipeliner) error {
		for i, key := range keys {
			pipeline.Set(ctx, key, i, 0)
			reads[i] = pipeline.Get(ctx, key)
		}
		return nil
	}); err != nil {
		return "", err
	}
	for i, read := range reads {
		if read.Val() != strconv.Itoa(i) {
			return "", fmt.Errorf("answer %d is %q instead of %d", 2*i+1, read.Val(), i)
		}
	}
	return "", nil
}
