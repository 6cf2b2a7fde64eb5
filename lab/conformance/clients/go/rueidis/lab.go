package main

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

// opener is a snippet: it adds what its way needs to the options and opens the client.
type opener func(rueidis.ClientOption) (rueidis.Client, error)

func way() (opener, error) {
	switch way := conformance.Way(); way {
	case "per-node", "shared":
		return perNode, nil
	case "envoy-resp2":
		return envoyRESP2, nil
	case "envoy-resp3":
		return envoyRESP3, nil
	default:
		return nil, fmt.Errorf("LAB_WAY is no way: %q", way)
	}
}

// lab is what a behaviour has to work with.
type lab struct {
	open opener
	keys conformance.Keys
}

// with gives a check a client of its own, which has these options beside those of the way.
func (l lab) with(
	options rueidis.ClientOption, check func(context.Context, lab, rueidis.Client) (string, error),
) conformance.Check {
	return func(ctx context.Context) (string, error) {
		client, err := l.open(options)
		if err != nil {
			return "", err
		}
		defer client.Close()
		return check(ctx, l, client)
	}
}
