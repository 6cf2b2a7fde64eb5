package main

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"
)

const channel = "nodeway:rueidis"

// pubSub publishes on a connection of another client as soon as the subscription is confirmed.
func pubSub(ctx context.Context, l lab, subscriber rueidis.Client) (string, error) {
	publisher, err := l.open(rueidis.ClientOption{})
	if err != nil {
		return "", err
	}
	defer publisher.Close()
	return "", receives(ctx, subscriber, subscriber.B().Subscribe().Channel(channel).Build(), func(ctx context.Context) error {
		return publisher.Do(ctx, publisher.B().Publish().Channel(channel).Message("hello").Build()).Error()
	})
}

// receives subscribes, publishes, and waits for the message.
func receives(
	ctx context.Context, subscriber rueidis.Client, subscribe rueidis.Completed, publish func(context.Context) error,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	subscribed, messages, ended := make(chan struct{}, 1), make(chan string, 1), make(chan error, 1)
	go func() {
		confirmed := rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) {
			select {
			case subscribed <- struct{}{}:
			default: // a reconnect confirms again
			}
		})
		ended <- subscriber.Receive(confirmed, subscribe, func(message rueidis.PubSubMessage) {
			select {
			case messages <- message.Message:
			default:
			}
		})
	}()
	for {
		select {
		case <-subscribed:
			if err := publish(ctx); err != nil {
				return err
			}
		case message := <-messages:
			if message != "hello" {
				return fmt.Errorf("the message is %q", message)
			}
			return nil
		case err := <-ended:
			return err
		}
	}
}

// publishFromEveryNode sees that a message reaches the subscriber from whichever node it is published on, replicas too.
func publishFromEveryNode(ctx context.Context, _ lab, client rueidis.Client) (string, error) {
	nodes := client.Nodes()
	for address, node := range nodes {
		subscribe := client.B().Subscribe().Channel(channel).Build()
		if err := receives(ctx, client, subscribe, func(ctx context.Context) error {
			return node.Do(ctx, node.B().Publish().Channel(channel).Message("hello").Build()).Error()
		}); err != nil {
			return "", fmt.Errorf("published on %s: %w", address, err)
		}
	}
	return fmt.Sprintf("%d nodes", len(nodes)), nil
}

// shardedPubSub sees that a sharded channel lives in its slot's shard, wherever that is.
func shardedPubSub(ctx context.Context, l lab, client rueidis.Client) (string, error) {
	channels := l.keys.Spread(6, "channel")
	for _, channel := range channels {
		subscribe := client.B().Ssubscribe().Channel(channel).Build()
		if err := receives(ctx, client, subscribe, func(ctx context.Context) error {
			return client.Do(ctx, client.B().Spublish().Channel(channel).Message("hello").Build()).Error()
		}); err != nil {
			return "", fmt.Errorf("%s: %w", channel, err)
		}
	}
	return fmt.Sprintf("%d channels", len(channels)), nil
}
