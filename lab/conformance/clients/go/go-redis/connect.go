package main

import (
	"context"
	"fmt"

	"nodeway.test/conformance"
)

func connect(open opener) []conformance.Behaviour {
	return []conformance.Behaviour{{
		Name: "connect",
		Check: func(ctx context.Context) (string, error) {
			client, err := open()
			if err != nil {
				return "", err
			}
			defer client.Close()
			const key = "{connect}:go-redis"
			if err := client.Set(ctx, key, "here", 0).Err(); err != nil {
				return "", err
			}
			value, err := client.Get(ctx, key).Result()
			if err == nil && value != "here" {
				err = fmt.Errorf("GET answered %q", value)
			}
			return "", err
		},
	}}
}
