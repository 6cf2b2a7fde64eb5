package main

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

const channel = "nodeway:rueidis"

// receiveHello subscribes, publishes, and wants the message hello.
func receiveHello(
	ctx context.Context, client rueidis.Client, subscribe rueidis.Completed, publish func(context.Context) error,
) error {
	message, err := receive(ctx, client, subscribe, publish)
	if err == nil && message != "hello" {
		err = fmt.Errorf("the message is %q", message)
	}
	return err
}

// publishFromEveryNode sees that a message reaches the subscriber from whichever node it is published on, replicas too.
func publishFromEveryNode(ctx context.Context, _ conformance.Keys, client rueidis.Client) (string, error) {
	nodes := client.Nodes()
	for address, node := range nodes {
		subscribe := client.B().Subscribe().Channel(channel).Build()
		if err := receiveHello(ctx, client, subscribe, func(ctx context.Context) error {
			return node.Do(ctx, node.B().Publish().Channel(channel).Message("hello").Build()).Error()
		}); err != nil {
			return "", fmt.Errorf("published on %s: %w", address, err)
		}
	}
	return fmt.Sprintf("%d nodes", len(nodes)), nil
}

// shardedPubSub sees that a sharded channel lives in its slot's shard, wherever that is.
func shardedPubSub(ctx context.Context, keys conformance.Keys, client rueidis.Client) (string, error) {
	channels := keys.Spread(6, "channel")
	for _, channel := range channels {
		subscribe := client.B().Ssubscribe().Channel(channel).Build()
		if err := receiveHello(ctx, client, subscribe, func(ctx context.Context) error {
			return client.Do(ctx, client.B().Spublish().Channel(channel).Message("hello").Build()).Error()
		}); err != nil {
			return "", fmt.Errorf("%s: %w", channel, err)
		}
	}
	return fmt.Sprintf("%d channels", len(channels)), nil
}
