package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

const channel = "nodeway:go-redis"

// pubSub publishes on a connection of another client as soon as the subscription is confirmed.
func pubSub(ctx context.Context, l lab, subscriber redis.UniversalClient) (string, error) {
	publisher, err := l.open()
	if err != nil {
		return "", err
	}
	defer publisher.Close()
	subscription := subscriber.Subscribe(ctx, channel)
	defer subscription.Close()
	if _, err := subscription.Receive(ctx); err != nil {
		return "", err
	}
	if err := publisher.Publish(ctx, channel, "hello").Err(); err != nil {
		return "", err
	}
	message, err := subscription.ReceiveMessage(ctx)
	if err != nil {
		return "", err
	}
	if message.Payload != "hello" {
		return "", fmt.Errorf("the message is %q", message.Payload)
	}
	return "", nil
}
