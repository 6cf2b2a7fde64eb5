package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"nodeway.test/conformance"
)

// whoServes reads the key and says in the same answer who read it: the node that runs the script.
const whoServes = `return {redis.call('GET', KEYS[1]) or '', redis.call('INFO', 'replication')}`

const replicaLag = 5 * time.Second

// replicaRead takes the way's own means: the option ReadOnly is the cluster client's.
func replicaRead(l lab) conformance.Check {
	if conformance.Plain() {
		return l.with(l.open, readOnlyConnection)
	}
	return l.with(fromReplicas, readsFromReplicas)
}

func fromReplicas() (redis.UniversalClient, error) {
	return perNode(redis.ClusterOptions{ReadOnly: true})
}

// readOnlyConnection asks for READONLY by hand: all that is left.
func readOnlyConnection(ctx context.Context, _ lab, client redis.UniversalClient) (string, error) {
	return "", client.ReadOnly(ctx).Err()
}

// readsFromReplicas reads until the value is there, and sees that a replica served it.
func readsFromReplicas(ctx context.Context, l lab, client redis.UniversalClient) (string, error) {
	value := strconv.FormatInt(time.Now().UnixNano(), 10) // no earlier run's
	for _, key := range l.keys.Spread(12, "replica") {
		if err := client.Set(ctx, key, value, 0).Err(); err != nil {
			return "", err
		}
		if err := readFromReplica(ctx, client, key, value); err != nil {
			return "", err
		}
	}
	return "a replica served each read", nil
}

func readFromReplica(ctx context.Context, client redis.UniversalClient, key, value string) error {
	for began := time.Now(); time.Since(began) < replicaLag; time.Sleep(10 * time.Millisecond) {
		read, err := client.EvalRO(ctx, whoServes, []string{key}).StringSlice()
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
