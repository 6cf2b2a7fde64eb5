package conformance

import (
	"context"
	"errors"
	"testing"
)

// fake keeps what it acknowledged, but for the keys that the test takes from it; with an error it refuses writes.
type fake struct {
	Client
	values map[string]string
	err    error
}

func (f fake) Set(_ context.Context, key, value string) error {
	if f.err == nil {
		f.values[key] = value
	}
	return f.err
}

func (f fake) Get(_ context.Context, key string) (string, error) { return f.values[key], nil }

func TestWorkerCountsAnOlderAndAMissingValueAsLost(t *testing.T) {
	client := fake{values: map[string]string{}}
	worker := newWorker(client, []string{"a", "b", "c"}, &failures{})
	for range 3 {
		worker.write()
	}
	client.values["a"] = "1"
	delete(client.values, "b")
	if lost := worker.lost(t.Context()); lost != 2 {
		t.Errorf("%d keys are lost instead of 2", lost)
	}
}

func TestWorkerDoesNotCountAFailedWriteAsLost(t *testing.T) {
	worker := newWorker(fake{err: errors.New("no")}, []string{"a"}, &failures{})
	worker.write()
	if written, failed := worker.counts(); written != 0 || failed != 1 {
		t.Errorf("%d written and %d failed instead of 0 and 1", written, failed)
	}
	if lost := worker.lost(t.Context()); lost != 0 {
		t.Errorf("%d keys are lost instead of none", lost)
	}
}

func TestFailuresRemembersTheLatestDifferentTexts(t *testing.T) {
	var seen failures
	for _, text := range []string{"a", "b", "c", "d", "c"} {
		seen.note(errors.New(text))
	}
	if got := len(seen.texts); got != remembered || seen.texts[remembered-1] != "c" {
		t.Errorf("it remembers %q", seen.texts)
	}
}
