package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

const joined = `return redis.call('SET', KEYS[1], ARGV[1]) and KEYS[1] .. '=' .. ARGV[1] .. ' go-redis'`

// evalSHA runs a script by its checksum in each shard; the cluster client loads it into all of them.
func evalSHA(ctx context.Context, l lab, client redis.UniversalClient) (string, error) {
	checksum, err := client.ScriptLoad(ctx, joined).Result()
	if err != nil {
		return "", err
	}
	for _, key := range l.keys.Spread(12, "script") {
		if text, err := client.EvalSha(ctx, checksum, []string{key}, "argument").Text(); err != nil {
			return "", err
		} else if text != key+"=argument go-redis" {
			return "", fmt.Errorf("EVALSHA answered %q", text)
		}
	}
	return "", nil
}
