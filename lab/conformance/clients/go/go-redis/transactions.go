package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"nodeway.test/conformance"
)

const transactions = 60

// multiExec runs transactions of two keys in one slot each.
func multiExec(ctx context.Context, l lab, client redis.UniversalClient) (string, error) {
	failed, first := 0, error(nil)
	for i := range transactions {
		slot := i * conformance.Slots / transactions
		if err := transaction(ctx, client, l.keys.InSlot(slot, "one"), l.keys.InSlot(slot, "two"), i); err != nil {
			if failed++; first == nil {
				first = err
			}
		}
	}
	if first != nil {
		return "", fmt.Errorf("%d of %d transactions failed: %w", failed, transactions, first)
	}
	return "", nil
}

func transaction(ctx context.Context, client redis.UniversalClient, one, two string, number int) error {
	var sum *redis.IntCmd
	executed, err := client.TxPipelined(ctx, func(queue redis.Pipeliner) error {
		queue.Set(ctx, one, number, 0)
		queue.Set(ctx, two, 0, 0)
		sum = queue.IncrBy(ctx, two, int64(number))
		return nil
	})
	if err != nil {
		return err
	}
	if len(executed) != 3 {
		return fmt.Errorf("EXEC answered %d results instead of 3", len(executed))
	}
	if sum.Val() != int64(number) {
		return fmt.Errorf("EXEC answered %d instead of %d", sum.Val(), number)
	}
	return nil
}
