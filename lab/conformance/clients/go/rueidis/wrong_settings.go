package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

// wrongSettings are those that users try: each passes if it fails in the way that is known, so that a change is noticed.
// perNode adds nothing but the address, TLS and the user, and is therefore also what rueidis does on its own behind Envoy.
func wrongSettings(keys conformance.Keys) []conformance.Behaviour {
	type options = rueidis.ClientOption
	switch conformance.Way() {
	case "envoy-resp2":
		return []conformance.Behaviour{
			{Name: "defaults", Check: fails(keys, options{}, "NOPROTO")},
			{Name: "force_single_client_only", Check: fails(keys, options{ForceSingleClient: true}, "NOPROTO")},
			{Name: "without_force_single_client", Check: bypasses(keys, options{AlwaysRESP2: true, DisableCache: true})},
			{Name: "without_always_resp2", Check: fails(keys, options{ForceSingleClient: true, DisableCache: true}, "NOPROTO")},
			{Name: "without_disable_cache", Check: fails(keys, options{ForceSingleClient: true, AlwaysRESP2: true}, "DisableCache must be true")},
		}
	case "envoy-resp3":
		return []conformance.Behaviour{
			{Name: "defaults", Check: fails(keys, options{}, "TRACKING")},
			{Name: "force_single_client_only", Check: fails(keys, options{ForceSingleClient: true}, "TRACKING")},
			{Name: "without_force_single_client", Check: bypasses(keys, options{DisableCache: true})},
			{Name: "with_always_resp2", Check: fails(keys, options{ForceSingleClient: true, AlwaysRESP2: true, DisableCache: true}, "NOPROTO")},
		}
	case "per-node":
		return []conformance.Behaviour{
			{Name: "force_single_client", Check: fails(keys, options{ForceSingleClient: true}, "MOVED ")},
			{Name: "server_name_of_the_proxy", Check: fails(keys, options{DialCtxFn: dialAs(proxyName)}, "certificate is valid for")},
		}
	default:
		return nil
	}
}

const proxyName = "haproxy.internal"

// dialAs does what a ServerName in the TLSConfig does: one name for every node.
func dialAs(name string) func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
	return func(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
		named := config.Clone()
		named.ServerName = name
		secured := tls.Dialer{NetDialer: dialer, Config: named}
		return secured.DialContext(ctx, "tcp", address)
	}
}

// fails sees the known words in the first error that the user gets, be it at once or in some shard.
func fails(keys conformance.Keys, options rueidis.ClientOption, words string) conformance.Check {
	return func(ctx context.Context) (string, error) {
		client, err := perNode(options)
		if err == nil {
			defer client.Close()
			err = writeEverywhere(ctx, keys, client)
		}
		if err == nil {
			return "", errors.New("it did not fail")
		}
		if !strings.Contains(err.Error(), words) {
			return "", fmt.Errorf("it failed otherwise: %w", err)
		}
		return err.Error(), nil
	}
}

// bypasses sees that rueidis takes Envoy for a node of a cluster and dials another one by its own name.
func bypasses(keys conformance.Keys, options rueidis.ClientOption) conformance.Check {
	return func(ctx context.Context) (string, error) {
		var seen dials
		options.DialCtxFn = seen.dial
		client, err := perNode(options)
		if err != nil {
			return "", err
		}
		defer client.Close()
		err = writeEverywhere(ctx, keys, client)
		if err == nil {
			return "", errors.New("it did not fail")
		}
		endpoint := os.Getenv("LAB_ENDPOINT") + ":" + os.Getenv("LAB_PORT")
		others := slices.DeleteFunc(seen.addresses(), func(address string) bool { return address == endpoint })
		if client.Mode() != rueidis.ClientModeCluster || len(others) == 0 {
			return "", fmt.Errorf("as a %s client it dialled no other address: %w", client.Mode(), err)
		}
		return fmt.Sprintf("a cluster client, it dialled %s: %s", strings.Join(others, ", "), err), nil
	}
}

// writeEverywhere writes into all shards until something fails.
func writeEverywhere(ctx context.Context, keys conformance.Keys, client rueidis.Client) error {
	for _, key := range keys.Spread(12, "wrong") {
		if err := client.Do(ctx, client.B().Set().Key(key).Value("here").Build()).Error(); err != nil {
			return err
		}
	}
	return nil
}
