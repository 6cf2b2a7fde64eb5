package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"nodeway.test/conformance"
)

// whoServes reads the key and says in the same answer who read it: the node that runs the script.
const whoServes = `return {redis.call('GET', KEYS[1]) or '', redis.call('INFO', 'replication')}`

const replicaLag = 5 * time.Second

func readOnly(command rueidis.Completed) bool { return command.IsReadOnly() }

// replicaRead takes the way's own means: rueidis does not heed SendToReplicas where it knows one endpoint only.
func replicaRead(l lab) conformance.Check {
	if conformance.Plain() {
		return l.with(rueidis.ClientOption{}, readOnlyConnection)
	}
	return l.with(rueidis.ClientOption{SendToReplicas: readOnly}, readsFromReplicas)
}

// readOnlyConnection asks for READONLY by hand: all that is left.
func readOnlyConnection(ctx context.Context, _ lab, client rueidis.Client) (string, error) {
	return "", client.Dedicated(func(connection rueidis.DedicatedClient) error {
		return connection.Do(ctx, connection.B().Readonly().Build()).Error()
	})
}

// readsFromReplicas reads until the value is there, and sees that a replica served it.
func readsFromReplicas(ctx context.Context, l lab, client rueidis.Client) (string, error) {
	value := strconv.FormatInt(time.Now().UnixNano(), 10) // no earlier run's
	for _, key := range l.keys.Spread(12, "replica") {
		if err := client.Do(ctx, client.B().Set().Key(key).Value(value).Build()).Error(); err != nil {
			return "", err
		}
		if err := readFromReplica(ctx, client, key, value); err != nil {
			return "", err
		}
	}
	return "a replica served each read", nil
}

func readFromReplica(ctx context.Context, client rueidis.Client, key, value string) error {
	for began := time.Now(); time.Since(began) < replicaLag; time.Sleep(10 * time.Millisecond) {
		read, err := client.Do(ctx, client.B().EvalRo().Script(whoServes).Numkeys(1).Key(key).Build()).AsStrSlice()
		if err != nil {
			return err
		}
		if len(read) != 2 {
			return fmt.Errorf("the script answered %q", read)
		}
		if !strings.Contains(read[1], "role:slave") {
			return fmt.Errorf("no replica served the read: %.30q", read[1])
		}
		if read[0] == value {
			return nil
		}
	}
	return fmt.Errorf("the replica does not have the value after %s", replicaLag)
}

// sendToReplicas sees that reads go to replicas while writes, which the same option leaves alone, go to primaries.
func sendToReplicas(ctx context.Context, l lab, client rueidis.Client) (string, error) {
	if _, err := readsFromReplicas(ctx, l, client); err != nil {
		return "", err
	}
	for _, key := range l.keys.Spread(12, "replica") {
		written, err := client.Do(ctx, client.B().Eval().Script(whoServes).Numkeys(1).Key(key).Build()).AsStrSlice()
		if err != nil {
			return "", err
		}
		if len(written) != 2 || !strings.Contains(written[1], "role:master") {
			return "", fmt.Errorf("no primary served what may write: %q", written)
		}
	}
	return "replicas served the reads, primaries the rest", nil
}
