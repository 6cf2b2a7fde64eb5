package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

const batch = 1024

// allSlots writes and reads a key in each slot, in pipelines.
func allSlots(ctx context.Context, l lab, client rueidis.Client) (string, error) {
	keys := l.keys.Spread(conformance.Slots, "slot")
	for part := range slices.Chunk(keys, batch) {
		writes := make(rueidis.Commands, 0, batch)
		for _, key := range part {
			writes = append(writes, client.B().Set().Key(key).Value("value of "+key).Build())
		}
		for _, answer := range client.DoMulti(ctx, writes...) {
			if err := answer.Error(); err != nil {
				return "", err
			}
		}
	}
	for part := range slices.Chunk(keys, batch) {
		reads := make(rueidis.Commands, 0, batch)
		for _, key := range part {
			reads = append(reads, client.B().Get().Key(key).Build())
		}
		for i, answer := range client.DoMulti(ctx, reads...) {
			if value, err := answer.ToString(); err != nil {
				return "", err
			} else if value != "value of "+part[i] {
				return "", fmt.Errorf("GET %s answered %q", part[i], value)
			}
		}
	}
	return "", nil
}

// pipeline500 sends 500 commands to all shards at once; each GET must see the SET before it.
func pipeline500(ctx context.Context, l lab, client rueidis.Client) (string, error) {
	keys := l.keys.Spread(250, "pipeline")
	pipeline := make(rueidis.Commands, 0, 2*len(keys))
	for i, key := range keys {
		pipeline = append(pipeline,
			client.B().Set().Key(key).Value(strconv.Itoa(i)).Build(),
			client.B().Get().Key(key).Build())
	}
	answers := client.DoMulti(ctx, pipeline...)
	for i := range keys {
		if err := answers[2*i].Error(); err != nil {
			return "", err
		}
		if value, err := answers[2*i+1].AsInt64(); err != nil {
			return "", err
		} else if value != int64(i) {
			return "", fmt.Errorf("answer %d is %d instead of %d", 2*i+1, value, i)
		}
	}
	return "", nil
}
