// The conformance program of rueidis, through the very snippets that the documentation shows.
package main

import (
	"context"
	"net"
	"time"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

func main() {
	conformance.Main(conformance.Program{
		Name: "rueidis",
		Open: openFor,
		Extra: map[string]func(conformance.Keys) []conformance.Behaviour{
			"extras": extras, "wrong-settings": wrongSettings,
		},
	})
}

func openFor(options conformance.Options) (conformance.Client, error) {
	var own rueidis.ClientOption
	switch options {
	case conformance.CarefulTimeouts: // rueidis's own are 5 s and 10 s
		own = rueidis.ClientOption{Dialer: net.Dialer{Timeout: 4 * time.Second}, ConnWriteTimeout: 2 * time.Second}
	case conformance.FromReplicas:
		own = rueidis.ClientOption{SendToReplicas: readOnly}
	}
	found, err := open(own)
	return adapter{found}, err
}

// open adds what the way needs to the options, by its snippet.
func open(options rueidis.ClientOption) (rueidis.Client, error) {
	if conformance.ByEnvoy() {
		return envoy(options)
	}
	return perNode(options)
}

func readOnly(command rueidis.Completed) bool { return command.IsReadOnly() }

// with gives a check a client of its own, which has these options beside those of the way.
func with(
	options rueidis.ClientOption, keys conformance.Keys,
	check func(context.Context, conformance.Keys, rueidis.Client) (string, error),
) conformance.Check {
	return func(ctx context.Context) (string, error) {
		client, err := open(options)
		if err != nil {
			return "", err
		}
		defer client.Close()
		return check(ctx, keys, client)
	}
}
