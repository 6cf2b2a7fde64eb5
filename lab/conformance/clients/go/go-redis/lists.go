package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// blPop waits in vain for a second, and then for an item that another client pushes meanwhile.
func blPop(ctx context.Context, l lab, client redis.UniversalClient) (string, error) {
	key := l.keys.InSlot(8000, "list")
	if err := client.Del(ctx, key).Err(); err != nil {
		return "", err
	}
	began := time.Now()
	err := client.BLPop(ctx, time.Second, key).Err()
	if !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("BLPOP of an empty list: %w", err)
	}
	if waited := time.Since(began); waited < 900*time.Millisecond {
		return "", fmt.Errorf("BLPOP waited %s instead of 1 s", waited.Round(time.Millisecond))
	}
	pusher, err := l.open()
	if err != nil {
		return "", err
	}
	defer pusher.Close()
	pushed := make(chan error, 1)
	time.AfterFunc(300*time.Millisecond, func() { pushed <- pusher.RPush(ctx, key, "item").Err() })
	popped, err := client.BLPop(ctx, 5*time.Second, key).Result()
	if err != nil {
		return "", err
	}
	if len(popped) != 2 || popped[1] != "item" {
		return "", fmt.Errorf("BLPOP answered %q", popped)
	}
	return "", <-pushed
}
