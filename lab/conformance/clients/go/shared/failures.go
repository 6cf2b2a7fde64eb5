package conformance

import (
	"slices"
	"sync"
)

const remembered = 3

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
