package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

const transactions = 60

// multiExec runs transactions of two keys in one slot each, as rueidis wants it: on a dedicated connection.
func multiExec(ctx context.Context, l lab, client rueidis.Client) (string, error) {
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

func transaction(ctx context.Context, client rueidis.Client, one, two string, number int) error {
	return client.Dedicated(func(dedicated rueidis.DedicatedClient) error {
		answers := dedicated.DoMulti(ctx,
			dedicated.B().Multi().Build(),
			dedicated.B().Set().Key(one).Value(strconv.Itoa(number)).Build(),
			dedicated.B().Set().Key(two).Value("0").Build(),
			dedicated.B().Incrby().Key(two).Increment(int64(number)).Build(),
			dedicated.B().Exec().Build())
		for _, answer := range answers {
			if err := answer.Error(); err != nil {
				return err
			}
		}
		executed, err := answers[len(answers)-1].ToArray()
		if err != nil {
			return err
		}
		if len(executed) != 3 {
			return fmt.Errorf("EXEC answered %d results instead of 3", len(executed))
		}
		if sum, err := executed[2].AsInt64(); err != nil || sum != int64(number) {
			return fmt.Errorf("EXEC answered %d instead of %d: %w", sum, number, err)
		}
		return nil
	})
}
