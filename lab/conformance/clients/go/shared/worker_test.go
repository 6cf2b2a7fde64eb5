package conformance

import (
	"context"
	"errors"
	"testing"
)

// forgetful is a store that keeps what it acknowledged, but for the keys that the test takes from it.
type forgetful map[string]string

func (f forgetful) store() Store {
	return Store{
		Set: func(_ context.Context, key, value string) error { f[key] = value; return nil },
		Get: func(_ context.Context, key string) (string, error) { return f[key], nil },
	}
}

func TestWorkerCountsAnOlderAndAMissingValueAsLost(t *testing.T) {
	kept := forgetful{}
	worker := newWorker(kept.store(), []string{"a", "b", "c"}, &failures{})
	for range 3 {
		worker.write()
	}
	kept["a"] = "1"
	delete(kept, "b")
	if lost := worker.lost(t.Context()); lost != 2 {
		t.Errorf("%d keys are lost instead of 2", lost)
	}
}

func TestWorkerDoesNotCountAFailedWriteAsLost(t *testing.T) {
	kept := forgetful{}
	store := kept.store()
	store.Set = func(context.Context, string, string) error { return errors.New("no") }
	worker := newWorker(store, []string{"a"}, &failures{})
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
