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
func defaults(ctx context.Context, _ lab, client rueidis.Client) (string, error) {
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
func oneEndpoint(l lab) conformance.Check {
	return func(ctx context.Context) (string, error) {
		var seen dials
		client, err := l.open(rueidis.ClientOption{DialCtxFn: seen.dial})
		if err != nil {
			return "", err
		}
		defer client.Close()
		if _, err := allSlots(ctx, l, client); err != nil {
			return "", err
		}
		endpoint := os.Getenv("LAB_ENDPOINT") + ":" + os.Getenv("LAB_PORT")
		if dialled := seen.addresses(); !slices.Equal(dialled, []string{endpoint}) {
			return "", fmt.Errorf("it dialled %s", strings.Join(dialled, ", "))
		}
		return fmt.Sprintf("a %s client of %s", client.Mode(), endpoint), nil
	}
}
