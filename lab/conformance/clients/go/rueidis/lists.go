package main

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

// blPop waits in vain for a second, and then for an item that another client pushes meanwhile.
func blPop(ctx context.Context, l lab, client rueidis.Client) (string, error) {
	key := l.keys.InSlot(8000, "list")
	if err := client.Do(ctx, client.B().Del().Key(key).Build()).Error(); err != nil {
		return "", err
	}
	began := time.Now()
	err := client.Do(ctx, client.B().Blpop().Key(key).Timeout(1).Build()).Error()
	if !rueidis.IsRedisNil(err) {
		return "", fmt.Errorf("BLPOP of an empty list: %w", err)
	}
	if waited := time.Since(began); waited < 900*time.Millisecond {
		return "", fmt.Errorf("BLPOP waited %s instead of 1 s", waited.Round(time.Millisecond))
	}
	pusher, err := l.open(rueidis.ClientOption{})
	if err != nil {
		return "", err
	}
	defer pusher.Close()
	pushed := make(chan error, 1)
	time.AfterFunc(300*time.Millisecond, func() {
		pushed <- pusher.Do(ctx, pusher.B().Rpush().Key(key).Element("item").Build()).Error()
	})
	popped, err := client.Do(ctx, client.B().Blpop().Key(key).Timeout(5).Build()).AsStrSlice()
	if err != nil {
		return "", err
	}
	if len(popped) != 2 || popped[1] != "item" {
		return "", fmt.Errorf("BLPOP answered %q", popped)
	}
	return "", <-pushed
}
