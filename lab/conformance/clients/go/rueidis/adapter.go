package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// adapter is rueidis's client: of a cluster, or of one endpoint.
type adapter struct {
	rueidis.Client
}

func (c adapter) Set(ctx context.Context, key, value string) error {
	return c.Do(ctx, c.B().Set().Key(key).Value(value).Build()).Error()
}

func (c adapter) Get(ctx context.Context, key string) (string, error) {
	value, err := c.Do(ctx, c.B().Get().Key(key).Build()).ToString()
	if rueidis.IsRedisNil(err) {
		return "", nil
	}
	return value, err
}

func (c adapter) SetAndGet(ctx context.Context, keys []string) ([]string, error) {
	pipeline := make(rueidis.Commands, 0, 2*len(keys))
	for _, key := range keys {
		pipeline = append(pipeline, c.B().Set().Key(key).Value(key).Build(), c.B().Get().Key(key).Build())
	}
	results := c.DoMulti(ctx, pipeline...)
	answers := make([]string, len(keys))
	for i := range keys {
		if err := results[2*i].Error(); err != nil {
			return nil, err
		}
		var err error
		if answers[i], err = results[2*i+1].ToString(); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// Transaction is on a dedicated connection, as rueidis wants it.
func (c adapter) Transaction(ctx context.Context, first, second string, number int) (results int, sum int64, err error) {
	err = c.Dedicated(func(dedicated rueidis.DedicatedClient) error {
		answers := dedicated.DoMulti(ctx,
			dedicated.B().Multi().Build(),
			dedicated.B().Set().Key(first).Value(strconv.Itoa(number)).Build(),
			dedicated.B().Set().Key(second).Value("0").Build(),
			dedicated.B().Incrby().Key(second).Increment(int64(number)).Build(),
			dedicated.B().Exec().Build())
		for _, answer := range answers {
			if err := answer.Error(); err != nil {
				return err
			}
		}
		executed, err := answers[len(answers)-1].ToArray()
		if err != nil || len(executed) == 0 {
			return err
		}
		results = len(executed)
		sum, err = executed[results-1].AsInt64()
		return err
	})
	return results, sum, err
}

// RunScript: ExecMulti loads a script into all nodes first and never sends EVAL.
func (c adapter) RunScript(ctx context.Context, script string, keys []string, argument string) ([]string, error) {
	runs := make([]rueidis.LuaExec, len(keys))
	for i, key := range keys {
		runs[i] = rueidis.LuaExec{Keys: []string{key}, Args: []string{argument}}
	}
	answers := make([]string, len(keys))
	for i, result := range rueidis.NewLuaScript(script).ExecMulti(ctx, c.Client, runs...) {
		var err error
		if answers[i], err = result.ToString(); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func (c adapter) EvalRO(ctx context.Context, script, key string) ([]string, error) {
	return c.Do(ctx, c.B().EvalRo().Script(script).Numkeys(1).Key(key).Build()).AsStrSlice()
}

func (c adapter) Receive(ctx context.Context, channel string, publish func(context.Context) error) (string, error) {
	return receive(ctx, c.Client, c.B().Subscribe().Channel(channel).Build(), publish)
}

// receive subscribes, publishes once the subscription is confirmed, and waits for the message.
func receive(
	ctx context.Context, subscriber rueidis.Client, subscribe rueidis.Completed, publish func(context.Context) error,
) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	subscribed, messages, ended := make(chan struct{}, 1), make(chan string, 1), make(chan error, 1)
	go func() {
		confirmed := rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) {
			select {
			case subscribed <- struct{}{}:
			default: // a reconnect confirms again
			}
		})
		ended <- subscriber.Receive(confirmed, subscribe, func(message rueidis.PubSubMessage) {
			select {
			case messages <- message.Message:
			default:
			}
		})
	}()
	for {
		select {
		case <-subscribed:
			if err := publish(ctx); err != nil {
				return "", err
			}
		case message := <-messages:
			return message, nil
		case err := <-ended:
			return "", err
		}
	}
}

func (c adapter) Publish(ctx context.Context, channel, message string) error {
	return c.Do(ctx, c.B().Publish().Channel(channel).Message(message).Build()).Error()
}

func (c adapter) Push(ctx context.Context, list, item string) error {
	return c.Do(ctx, c.B().Rpush().Key(list).Element(item).Build()).Error()
}

func (c adapter) BlockingPop(ctx context.Context, list string, wait time.Duration) ([]string, error) {
	popped, err := c.Do(ctx, c.B().Blpop().Key(list).Timeout(wait.Seconds()).Build()).AsStrSlice()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	return popped, err
}

// Scan asks each primary: rueidis sends a SCAN without a node to any one of them.
func (c adapter) Scan(ctx context.Context) ([]string, error) {
	var keys []string
	return keys, c.onPrimaries(ctx, func(node rueidis.Client) error {
		scanner := rueidis.NewScanner(func(cursor uint64) (rueidis.ScanEntry, error) {
			return node.Do(ctx, node.B().Scan().Cursor(cursor).Count(1000).Build()).AsScanEntry()
		})
		for key := range scanner.Iter() {
			keys = append(keys, key)
		}
		return scanner.Err()
	})
}

func (c adapter) DatabaseSize(ctx context.Context) (size int64, err error) {
	err = c.onPrimaries(ctx, func(node rueidis.Client) error {
		own, err := node.Do(ctx, node.B().Dbsize().Build()).AsInt64()
		size += own
		return err
	})
	return size, err
}

// onPrimaries asks the nodes that say that they are one; a client of one endpoint has that only.
func (c adapter) onPrimaries(ctx context.Context, ask func(rueidis.Client) error) error {
	if c.Mode() != rueidis.ClientModeCluster {
		return ask(c.Client)
	}
	for address, node := range c.Nodes() {
		info, err := node.Do(ctx, node.B().Info().Section("replication").Build()).ToString()
		if err != nil {
			return fmt.Errorf("%s: %w", address, err)
		}
		if strings.Contains(info, "role:master") {
			if err := ask(node); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c adapter) ReadOnly(ctx context.Context) error {
	return c.Dedicated(func(connection rueidis.DedicatedClient) error {
		return connection.Do(ctx, connection.B().Readonly().Build()).Error()
	})
}
