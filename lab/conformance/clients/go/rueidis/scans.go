package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

const scanAttempts = 3

// scan walks all keys and compares with DBSIZE; it counts again if somebody else wrote meanwhile.
func scan(ctx context.Context, _ lab, client rueidis.Client) (string, error) {
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

// count asks each primary: rueidis sends a SCAN without a node to any one of them.
func count(ctx context.Context, client rueidis.Client) (found, size int64, err error) {
	nodes, err := primaries(ctx, client)
	if err != nil {
		return 0, 0, err
	}
	keys := make(map[string]struct{})
	for _, node := range nodes {
		scanner := rueidis.NewScanner(func(cursor uint64) (rueidis.ScanEntry, error) {
			return node.Do(ctx, node.B().Scan().Cursor(cursor).Count(1000).Build()).AsScanEntry()
		})
		for key := range scanner.Iter() {
			keys[key] = struct{}{}
		}
		if err := scanner.Err(); err != nil {
			return 0, 0, err
		}
		own, err := node.Do(ctx, node.B().Dbsize().Build()).AsInt64()
		if err != nil {
			return 0, 0, fmt.Errorf("SCAN found %d keys, DBSIZE says: %w", len(keys), err)
		}
		size += own
	}
	return int64(len(keys)), size, nil
}

// primaries are the nodes that say so; a client of one endpoint has that only.
func primaries(ctx context.Context, client rueidis.Client) ([]rueidis.Client, error) {
	if client.Mode() != rueidis.ClientModeCluster {
		return []rueidis.Client{client}, nil
	}
	var found []rueidis.Client
	for address, node := range client.Nodes() {
		info, err := node.Do(ctx, node.B().Info().Section("replication").Build()).ToString()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", address, err)
		}
		if strings.Contains(info, "role:master") {
			found = append(found, node)
		}
	}
	return found, nil
}
