package conformance

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	commandTimeout = 2 * time.Second
	pause          = 100 * time.Millisecond
	remembered     = 3 // texts of errors
)

// worker writes into its keys in turn; an error is counted, and it goes on.
type worker struct {
	store        Client
	keys         []string
	failures     *failures
	acknowledged map[string]int64
	counter      int64
	heard        time.Time
	longestGap   time.Duration

	mu      sync.Mutex
	written int
	failed  int
}

func newWorker(store Client, keys []string, failures *failures) *worker {
	return &worker{
		store:        store,
		keys:         keys,
		failures:     failures,
		acknowledged: make(map[string]int64, len(keys)),
		// later than whatever an earlier run left behind, so that an old value never passes for a new one
		counter: time.Now().UnixMilli(),
	}
}

func (w *worker) run(ctx context.Context) {
	w.heard = time.Now()
	beat := time.NewTicker(pace)
	defer beat.Stop()
	for ctx.Err() == nil {
		select {
		case <-beat.C:
			if !w.write() {
				time.Sleep(pause)
			}
		case <-ctx.Done():
		}
	}
	w.noteGap()
}

// write has a time-out of its own: the end of the run does not abort it.
func (w *worker) write() bool {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	w.counter++
	key := w.keys[w.counter%int64(len(w.keys))]
	err := w.store.Set(ctx, key, strconv.FormatInt(w.counter, 10))
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failed++
		w.failures.note(err)
		return false
	}
	w.written++
	w.acknowledged[key] = w.counter
	w.noteGap()
	w.heard = time.Now()
	return true
}

func (w *worker) noteGap() {
	w.longestGap = max(w.longestGap, time.Since(w.heard))
}

func (w *worker) counts() (written, failed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written, w.failed
}

// lost counts the keys that do not have what was last acknowledged; one that cannot be read counts too.
func (w *worker) lost(ctx context.Context) int {
	lost := 0
	for key, acknowledged := range w.acknowledged {
		if value, ok := w.read(ctx, key); !ok || value < acknowledged {
			lost++
		}
	}
	return lost
}

// read asks until there is an answer: a fault may last a little longer than the load.
func (w *worker) read(ctx context.Context, key string) (int64, bool) {
	for ctx.Err() == nil {
		once, cancel := context.WithTimeout(ctx, commandTimeout)
		text, err := w.store.Get(once, key)
		cancel()
		if err == nil {
			value, err := strconv.ParseInt(text, 10, 64)
			return value, err == nil
		}
		w.failures.note(err)
		time.Sleep(pause)
	}
	return 0, false
}

// failures remembers the latest different texts of the errors of all workers.
type failures struct {
	mu    sync.Mutex
	texts []string
}

func (f *failures) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := err.Error()
	f.texts = slices.DeleteFunc(f.texts, func(known string) bool { return known == text })
	f.texts = append(f.texts, text)
	f.texts = f.texts[max(0, len(f.texts)-remembered):]
}
