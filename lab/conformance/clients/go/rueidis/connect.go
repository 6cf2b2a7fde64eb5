package main

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

func connect(open opener) []conformance.Behaviour {
	return []conformance.Behaviour{{
		Name: "connect",
		Check: func(ctx context.Context) (string, error) {
			client, err := open(rueidis.ClientOption{})
			if err != nil {
				return "", err
			}
			defer client.Close()
			const key = "{connect}:rueidis"
			if err := client.Do(ctx, client.B().Set().Key(key).Value("here").Build()).Error(); err != nil {
				return "", err
			}
			value, err := client.Do(ctx, client.B().Get().Key(key).Build()).ToString()
			if err == nil && value != "here" {
				err = fmt.Errorf("GET answered %q", value)
			}
			return "", err
		},
	}}
}
