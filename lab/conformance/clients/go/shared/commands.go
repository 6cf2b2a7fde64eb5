package conformance

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	batch        = 512
	transactions = 60
	scanAttempts = 3
	replicaLag   = 5 * time.Second
	script       = `return redis.call('SET', KEYS[1], ARGV[1]) and KEYS[1] .. '=' .. ARGV[1]`
)

// WhoServes is a script that reads the key and says in the same answer who read it: the node that runs the script.
const WhoServes = `return {redis.call('GET', KEYS[1]) or '', redis.call('INFO', 'replication')}`

// commands are the behaviours that every client is asked for.
func (p Program) commands(keys Keys) []Behaviour {
	with := func(check func(context.Context, Client, Keys) error) Check {
		return p.with(Defaults, keys, check)
	}
	return []Behaviour{
		{"all_slots", with(AllSlots)},
		{"pipeline_500", with(pipeline500)},
		{"multi_exec", with(multiExec)},
		{"evalsha", with(evalSHA)},
		{"pubsub", with(p.pubSub)},
		{"blpop", with(p.blPop)},
		{"scan", with(scan)},
		{"replica_read", p.replicaRead(keys)},
	}
}

// with gives a check a client of its own.
func (p Program) with(options Options, keys Keys, check func(context.Context, Client, Keys) error) Check {
	return func(ctx context.Context) (string, error) {
		client, err := p.Open(options)
		if err != nil {
			return "", err
		}
		defer client.Close()
		return "", check(ctx, client, keys)
	}
}

func (p Program) connect() []Behaviour {
	return []Behaviour{{"connect", p.with(Defaults, Keys{}, func(ctx context.Context, client Client, _ Keys) error {
		key := "{connect}:" + p.Name
		if err := client.Set(ctx, key, "here"); err != nil {
			return err
		}
		value, err := client.Get(ctx, key)
		if err == nil && value != "here" {
			err = fmt.Errorf("GET answered %q", value)
		}
		return err
	})}}
}

// AllSlots writes and reads a key in each slot.
func AllSlots(ctx context.Context, client Client, keys Keys) error {
	for part := range slices.Chunk(keys.Spread(Slots, "slot"), batch) {
		if err := setAndGet(ctx, client, part); err != nil {
			return err
		}
	}
	return nil
}

// pipeline500 sends 500 commands to all shards at once.
func pipeline500(ctx context.Context, client Client, keys Keys) error {
	return setAndGet(ctx, client, keys.Spread(250, "pipeline"))
}

// setAndGet sees that each GET answers what the SET before it wrote.
func setAndGet(ctx context.Context, client Client, keys []string) error {
	answers, err := client.SetAndGet(ctx, keys)
	if err == nil && !slices.Equal(answers, keys) {
		err = fmt.Errorf("the GETs answered %.120q instead of %.120q", answers, keys)
	}
	return err
}

// multiExec runs transactions of two keys in one slot each.
func multiExec(ctx context.Context, client Client, keys Keys) error {
	failed, first := 0, error(nil)
	for i := range transactions {
		slot := i * Slots / transactions
		results, sum, err := client.Transaction(ctx, keys.InSlot(slot, "one"), keys.InSlot(slot, "two"), i)
		if err == nil && (results != 3 || sum != int64(i)) {
			err = fmt.Errorf("EXEC answered %d results and %d instead of 3 and %d", results, sum, i)
		}
		if err != nil {
			if failed++; first == nil {
				first = err
			}
		}
	}
	if first != nil {
		return fmt.Errorf("%d of %d transactions failed: %w", failed, transactions, first)
	}
	return nil
}

// evalSHA runs a script by its checksum in each shard.
func evalSHA(ctx context.Context, client Client, keys Keys) error {
	spread := keys.Spread(12, "script")
	answers, err := client.RunScript(ctx, script, spread, "argument")
	if err != nil {
		return err
	}
	for i, answer := range answers {
		if answer != spread[i]+"=argument" {
			return fmt.Errorf("EVALSHA answered %q", answer)
		}
	}
	return nil
}

// pubSub publishes on a connection of another client.
func (p Program) pubSub(ctx context.Context, subscriber Client, _ Keys) error {
	publisher, err := p.Open(Defaults)
	if err != nil {
		return err
	}
	defer publisher.Close()
	channel := "nodeway:" + p.Name
	message, err := subscriber.Receive(ctx, channel, func(ctx context.Context) error {
		return publisher.Publish(ctx, channel, "hello")
	})
	if err == nil && message != "hello" {
		err = fmt.Errorf("the message is %q", message)
	}
	return err
}

// blPop waits one second at an empty list, and then for an item that another client pushes meanwhile.
func (p Program) blPop(ctx context.Context, client Client, keys Keys) error {
	list := keys.InSlot(8000, "list-"+unique())
	began := time.Now()
	if popped, err := client.BlockingPop(ctx, list, time.Second); err != nil {
		return fmt.Errorf("BLPOP of an empty list: %w", err)
	} else if popped != nil {
		return fmt.Errorf("BLPOP of an empty list answered %q", popped)
	}
	if waited := time.Since(began); waited < 900*time.Millisecond {
		return fmt.Errorf("BLPOP waited %s instead of 1 s", waited.Round(time.Millisecond))
	}
	pusher, err := p.Open(Defaults)
	if err != nil {
		return err
	}
	defer pusher.Close()
	pushed := make(chan error, 1)
	time.AfterFunc(300*time.Millisecond, func() { pushed <- pusher.Push(ctx, list, "item") })
	popped, err := client.BlockingPop(ctx, list, 5*time.Second)
	if err != nil {
		return err
	}
	if !slices.Equal(popped, []string{list, "item"}) {
		return fmt.Errorf("BLPOP answered %q", popped)
	}
	return <-pushed
}

// scan walks all keys and compares with DBSIZE; it counts again if somebody else wrote meanwhile.
func scan(ctx context.Context, client Client, _ Keys) error {
	var found, size int64
	for range scanAttempts {
		scanned, err := client.Scan(ctx)
		if err != nil {
			return err
		}
		slices.Sort(scanned)
		found = int64(len(slices.Compact(scanned)))
		if size, err = client.DatabaseSize(ctx); err != nil {
			return fmt.Errorf("SCAN found %d keys, DBSIZE says: %w", found, err)
		}
		if found == size {
			return nil
		}
		time.Sleep(time.Second)
	}
	return fmt.Errorf("SCAN found %d keys, DBSIZE says %d", found, size)
}

// replicaRead asks for READONLY by hand where there is one endpoint only: a client's own option is its cluster client's.
func (p Program) replicaRead(keys Keys) Check {
	if ByEnvoy() {
		return p.with(Defaults, keys, func(ctx context.Context, client Client, _ Keys) error {
			return client.ReadOnly(ctx)
		})
	}
	return p.with(FromReplicas, keys, ReadsFromReplicas)
}

// ReadsFromReplicas reads in each shard until the value is there, and sees that a replica served each read.
func ReadsFromReplicas(ctx context.Context, client Client, keys Keys) error {
	value := unique()
	for _, key := range keys.Spread(12, "replica") {
		if err := client.Set(ctx, key, value); err != nil {
			return err
		}
		if err := readFromReplica(ctx, client, key, value); err != nil {
			return err
		}
	}
	return nil
}

func readFromReplica(ctx context.Context, client Client, key, value string) error {
	for began := time.Now(); time.Since(began) < replicaLag; time.Sleep(10 * time.Millisecond) {
		read, err := client.EvalRO(ctx, WhoServes, key)
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

// unique is a value of no earlier run.
func unique() string { return strconv.FormatInt(time.Now().UnixNano(), 10) }
