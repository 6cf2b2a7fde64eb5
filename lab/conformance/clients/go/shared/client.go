package conformance

import (
	"context"
	"time"
)

// Client is what the behaviours ask of a client: each method does it as the client's users do, and gives the error that
// they would see.
type Client interface {
	Close()
	Set(ctx context.Context, key, value string) error
	// Get gives an empty value when there is none.
	Get(ctx context.Context, key string) (string, error)
	// SetAndGet is SET and GET of each key to its own name, all in one pipeline; it gives the answers to the GETs.
	SetAndGet(ctx context.Context, keys []string) ([]string, error)
	// Transaction is SET of the first key to a number, SET of the second to 0 and INCRBY of it by the number, in MULTI and
	// EXEC; it gives how many results EXEC had, and the sum. The keys have one slot.
	Transaction(ctx context.Context, first, second string, number int) (results int, sum int64, err error)
	// RunScript loads a script wherever it may be called, and calls it by its checksum for each key.
	RunScript(ctx context.Context, script string, keys []string, argument string) ([]string, error)
	// EvalRO runs a read-only script for a key.
	EvalRO(ctx context.Context, script, key string) ([]string, error)
	// Receive subscribes, calls publish once the subscription is confirmed, and gives the message that arrives.
	Receive(ctx context.Context, channel string, publish func(context.Context) error) (string, error)
	Publish(ctx context.Context, channel, message string) error
	Push(ctx context.Context, list, item string) error
	// BlockingPop is BLPOP; nil when nothing came.
	BlockingPop(ctx context.Context, list string, wait time.Duration) ([]string, error)
	// Scan gives all keys, each primary's.
	Scan(ctx context.Context) ([]string, error)
	DatabaseSize(ctx context.Context) (int64, error)
	// ReadOnly sends READONLY on one connection.
	ReadOnly(ctx context.Context) error
}
