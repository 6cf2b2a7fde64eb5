package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const scanAttempts = 3

// scan walks all keys and compares with DBSIZE; it counts again if somebody else wrote meanwhile.
func scan(ctx context.Context, _ lab, client redis.UniversalClient) (string, error) {
	var found, size int64
	for range scanAttempts {
		var err error
		if found, size, err = count(ctx, client); err != nil || found == size {
			return fmt.Sprintf("%d keys", found), err
		}
		time.Sleep(time.Second)
	}
	return "", fmt.Errorf("SCAN found %d keys, DBSIZE says %d", found, size)
}

// count walks each primary, since SCAN has no slot; DBSIZE of the cluster client is the sum of theirs.
func count(ctx context.Context, client redis.UniversalClient) (found, size int64, err error) {
	keys := &walked{keys: make(map[string]struct{})}
	switch client := client.(type) {
	case *redis.ClusterClient:
		err = client.ForEachMaster(ctx, keys.walk)
	case *redis.Client:
		err = keys.walk(ctx, client)
	}
	if err != nil {
		return 0, 0, err
	}
	found = int64(len(keys.keys))
	if size, err = client.DBSize(ctx).Result(); err != nil {
		return 0, 0, fmt.Errorf("SCAN found %d keys, DBSIZE says: %w", found, err)
	}
	return found, size, nil
}

// walked are the keys that SCAN has said; ForEachMaster asks the primaries at the same time.
type walked struct {
	mu   sync.Mutex
	keys map[string]struct{}
}

func (w *walked) walk(ctx context.Context, node *redis.Client) error {
	iterator := node.Scan(ctx, 0, "", 1000).Iterator()
	for iterator.Next(ctx) {
		w.mu.Lock()
		w.keys[iterator.Val()] = struct{}{}
		w.mu.Unlock()
	}
	return iterator.Err()
}
