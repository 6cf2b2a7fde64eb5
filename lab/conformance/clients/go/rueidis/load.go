package main

import (
	"context"
	"net"
	"time"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

// load writes with the time-outs of a careful user: rueidis's own are 5 s and 10 s.
func load(l lab) error {
	client, err := l.open(rueidis.ClientOption{
		Dialer:           net.Dialer{Timeout: 4 * time.Second},
		ConnWriteTimeout: 2 * time.Second,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	return conformance.Load(conformance.Store{
		Set: func(ctx context.Context, key, value string) error {
			return client.Do(ctx, client.B().Set().Key(key).Value(value).Build()).Error()
		},
		Get: func(ctx context.Context, key string) (string, error) {
			value, err := client.Do(ctx, client.B().Get().Key(key).Build()).ToString()
			if rueidis.IsRedisNil(err) {
				return "", nil
			}
			return value, err
		},
	}, l.keys)
}
