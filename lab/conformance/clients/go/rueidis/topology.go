package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

// defaults sees what rueidis makes of the endpoint when it may decide itself: a cluster client that knows and reaches each node.
func defaults(ctx context.Context, _ conformance.Keys, client rueidis.Client) (string, error) {
	if client.Mode() != rueidis.ClientModeCluster {
		return "", fmt.Errorf("it is a %s client", client.Mode())
	}
	nodes := client.Nodes()
	for address, node := range nodes {
		if err := node.Do(ctx, node.B().Ping().Build()).Error(); err != nil {
			return "", fmt.Errorf("%s: %w", address, err)
		}
	}
	names := slices.Sorted(maps.Keys(nodes))
	return fmt.Sprintf("a cluster client of %s", strings.Join(names, ", ")), nil
}

// oneEndpoint sees that Envoy's address is the only one that is ever dialled, whatever the slot.
func oneEndpoint(keys conformance.Keys) conformance.Check {
	return func(ctx context.Context) (string, error) {
		var seen dials
		client, err := open(rueidis.ClientOption{DialCtxFn: seen.dial})
		if err != nil {
			return "", err
		}
		defer client.Close()
		if err := conformance.AllSlots(ctx, adapter{client}, keys); err != nil {
			return "", err
		}
		endpoint := os.Getenv("LAB_ENDPOINT") + ":" + os.Getenv("LAB_PORT")
		if dialled := seen.addresses(); !slices.Equal(dialled, []string{endpoint}) {
			return "", fmt.Errorf("it dialled %s", strings.Join(dialled, ", "))
		}
		return fmt.Sprintf("a %s client of %s", client.Mode(), endpoint), nil
	}
}

// sendToReplicas sees that reads go to replicas while writes, which the same option leaves alone, go to primaries.
func sendToReplicas(ctx context.Context, keys conformance.Keys, client rueidis.Client) (string, error) {
	if err := conformance.ReadsFromReplicas(ctx, adapter{client}, keys); err != nil {
		return "", err
	}
	for _, key := range keys.Spread(12, "replica") {
		written, err := client.Do(ctx, client.B().Eval().Script(conformance.WhoServes).Numkeys(1).Key(key).Build()).AsStrSlice()
		if err != nil {
			return "", err
		}
		if len(written) != 2 || !strings.Contains(written[1], "role:master") {
			return "", fmt.Errorf("no primary served what may write: %q", written)
		}
	}
	return "replicas served the reads, primaries the rest", nil
}
