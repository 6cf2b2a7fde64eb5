package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	workers       = 4
	keysPerWorker = 50
	pace          = 20 * time.Millisecond
	progress      = 250 * time.Millisecond
	readBack      = 30 * time.Second
)

type tally struct {
	Acknowledged int   `json:"acknowledged"`
	Errors       int   `json:"errors"`
	Workers      []int `json:"workers"`
}

type summary struct {
	Final        bool     `json:"final"`
	Acknowledged int      `json:"acknowledged"`
	Errors       int      `json:"errors"`
	Lost         int      `json:"lost"`
	LongestGap   float64  `json:"longest_gap"`
	LastErrors   []string `json:"last_errors"`
}

// Load writes until standard input ends, while things happen to the cluster, and then reads back what was acknowledged.
func Load(store Client, keys Keys) error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	seen := &failures{texts: []string{}}
	crew := make([]*worker, workers)
	var running sync.WaitGroup
	for number := range crew {
		crew[number] = newWorker(store, keys.Spread(keysPerWorker, fmt.Sprintf("load:%s:%d", Way(), number)), seen)
		running.Go(func() { crew[number].run(ctx) })
	}
	lines := json.NewEncoder(os.Stdout)
	for beat := time.Tick(progress); ctx.Err() == nil; {
		select {
		case <-beat:
			if err := lines.Encode(sum(crew)); err != nil {
				return err
			}
		case <-ctx.Done():
		}
	}
	running.Wait()
	return lines.Encode(summarize(crew, seen))
}

func sum(crew []*worker) tally {
	var total tally
	for _, worker := range crew {
		acknowledged, errors := worker.counts()
		total.Acknowledged += acknowledged
		total.Errors += errors
		total.Workers = append(total.Workers, acknowledged)
	}
	return total
}

func summarize(crew []*worker, seen *failures) summary {
	ctx, cancel := context.WithTimeout(context.Background(), readBack)
	defer cancel()
	total := sum(crew)
	end := summary{Final: true, Acknowledged: total.Acknowledged, Errors: total.Errors}
	for _, worker := range crew {
		end.LongestGap = max(end.LongestGap, seconds(worker.longestGap))
		end.Lost += worker.lost(ctx)
	}
	end.LastErrors = seen.texts
	return end
}
