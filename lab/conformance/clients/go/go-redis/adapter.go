package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// adapter is go-redis's cluster client, or its client of one endpoint.
type adapter struct {
	redis.UniversalClient
}

func (c adapter) Close() { _ = c.UniversalClient.Close() }

func (c adapter) Set(ctx context.Context, key, value string) error {
	return c.UniversalClient.Set(ctx, key, value, 0).Err()
}

func (c adapter) Get(ctx context.Context, key string) (string, error) {
	value, err := c.UniversalClient.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return value, err
}

func (c adapter) SetAndGet(ctx context.Context, keys []string) ([]string, error) {
	reads := make([]*redis.StringCmd, len(keys))
	if _, err := c.Pipelined(ctx, func(pipeline redis.Pipeliner) error {
		for i, key := range keys {
			pipeline.Set(ctx, key, key, 0)
			reads[i] = pipeline.Get(ctx, key)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	answers := make([]string, len(keys))
	for i, read := range reads {
		answers[i] = read.Val()
	}
	return answers, nil
}

func (c adapter) Transaction(ctx context.Context, first, second string, number int) (int, int64, error) {
	var sum *redis.IntCmd
	executed, err := c.TxPipelined(ctx, func(queue redis.Pipeliner) error {
		queue.Set(ctx, first, number, 0)
		queue.Set(ctx, second, 0, 0)
		sum = queue.IncrBy(ctx, second, int64(number))
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return len(executed), sum.Val(), nil
}

// RunScript: the cluster client loads a script into all shards.
func (c adapter) RunScript(ctx context.Context, script string, keys []string, argument string) ([]string, error) {
	checksum, err := c.ScriptLoad(ctx, script).Result()
	if err != nil {
		return nil, err
	}
	answers := make([]string, len(keys))
	for i, key := range keys {
		if answers[i], err = c.EvalSha(ctx, checksum, []string{key}, argument).Text(); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func (c adapter) EvalRO(ctx context.Context, script, key string) ([]string, error) {
	return c.UniversalClient.EvalRO(ctx, script, []string{key}).StringSlice()
}

func (c adapter) Receive(ctx context.Context, channel string, publish func(context.Context) error) (string, error) {
	subscription := c.Subscribe(ctx, channel)
	defer subscription.Close()
	if _, err := subscription.Receive(ctx); err != nil {
		return "", err
	}
	if err := publish(ctx); err != nil {
		return "", err
	}
	message, err := subscription.ReceiveMessage(ctx)
	if err != nil {
		return "", err
	}
	return message.Payload, nil
}

func (c adapter) Publish(ctx context.Context, channel, message string) error {
	return c.UniversalClient.Publish(ctx, channel, message).Err()
}

func (c adapter) Push(ctx context.Context, list, item string) error {
	return c.RPush(ctx, list, item).Err()
}

func (c adapter) BlockingPop(ctx context.Context, list string, wait time.Duration) ([]string, error) {
	popped, err := c.BLPop(ctx, wait, list).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return popped, err
}

// Scan walks each primary, since SCAN has no slot; ForEachMaster asks them at the same time.
func (c adapter) Scan(ctx context.Context) ([]string, error) {
	var mu sync.Mutex
	var keys []string
	walk := func(ctx context.Context, node *redis.Client) error {
		iterator := node.Scan(ctx, 0, "", 1000).Iterator()
		for iterator.Next(ctx) {
			mu.Lock()
			keys = append(keys, iterator.Val())
			mu.Unlock()
		}
		return iterator.Err()
	}
	var err error
	switch own := c.UniversalClient.(type) {
	case *redis.ClusterClient:
		err = own.ForEachMaster(ctx, walk)
	case *redis.Client:
		err = walk(ctx, own)
	}
	return keys, err
}

// DatabaseSize: DBSIZE of the cluster client is the sum of the shards'.
func (c adapter) DatabaseSize(ctx context.Context) (int64, error) {
	return c.DBSize(ctx).Result()
}

func (c adapter) ReadOnly(ctx context.Context) error {
	return c.UniversalClient.ReadOnly(ctx).Err()
}
