package main

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"
)

const joined = `return redis.call('SET', KEYS[1], ARGV[1]) and KEYS[1] .. '=' .. ARGV[1] .. ' rueidis'`

// evalSHA runs a script by its checksum in each shard; ExecMulti loads it into all nodes first and never sends EVAL.
func evalSHA(ctx context.Context, l lab, client rueidis.Client) (string, error) {
	keys := l.keys.Spread(12, "script")
	runs := make([]rueidis.LuaExec, len(keys))
	for i, key := range keys {
		runs[i] = rueidis.LuaExec{Keys: []string{key}, Args: []string{"argument"}}
	}
	for i, answer := range rueidis.NewLuaScript(joined).ExecMulti(ctx, client, runs...) {
		if text, err := answer.ToString(); err != nil {
			return "", err
		} else if text != keys[i]+"=argument rueidis" {
			return "", fmt.Errorf("EVALSHA answered %q", text)
		}
	}
	return "", nil
}
