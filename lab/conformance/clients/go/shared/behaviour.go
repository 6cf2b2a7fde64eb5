package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"
)

// Limit is how long a behaviour may take.
const Limit = 20 * time.Second

var errNoAnswer = errors.New("no answer in 20 s")

// Check tries one behaviour. It says what it saw, or the error as the client's user would see it.
type Check func(ctx context.Context) (string, error)

// Behaviour is one line of the matrix.
type Behaviour struct {
	Name  string
	Check Check
}

type result struct {
	Behaviour string  `json:"behaviour"`
	Outcome   string  `json:"outcome"`
	Detail    string  `json:"detail"`
	Seconds   float64 `json:"seconds"`
}

// Run tries the behaviours one after the other and prints each result as it comes.
func Run(behaviours []Behaviour) error {
	lines := json.NewEncoder(os.Stdout)
	lines.SetEscapeHTML(false)
	for _, behaviour := range behaviours {
		if err := lines.Encode(behaviour.try()); err != nil {
			return err
		}
	}
	return nil
}

func (b Behaviour) try() result {
	began := time.Now()
	detail, err := withinLimit(b.Check)
	outcome := "pass"
	if err != nil {
		outcome, detail = "fail", err.Error()
	}
	return result{b.Name, outcome, detail, seconds(time.Since(began))}
}

// seconds has milliseconds, and no more digits than that.
func seconds(duration time.Duration) float64 { return float64(duration.Milliseconds()) / 1000 }

// withinLimit leaves a check behind that does not heed its context: its client is its own, so that nobody else waits for it.
func withinLimit(check Check) (detail string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	done := make(chan struct{})
	var seen string
	var failure error
	go func() {
		defer close(done)
		seen, failure = check(ctx)
	}()
	select {
	case <-done:
		if errors.Is(failure, context.DeadlineExceeded) && ctx.Err() != nil {
			return "", errNoAnswer
		}
		return seen, failure
	case <-ctx.Done():
		return "", errNoAnswer
	}
}
