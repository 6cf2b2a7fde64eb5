package conformance

import (
	"fmt"
	"os"
	"strings"
)

// Slots is the number of hash slots that a cluster has.
const Slots = 16384

// Keys names keys by the slot they are to fall into.
type Keys struct {
	client string
	tags   []string
}

// ReadKeys reads the file that has, on line i, a hash tag whose slot is i.
func ReadKeys(client string) (Keys, error) {
	text, err := os.ReadFile(os.Getenv("LAB_SLOT_KEYS"))
	if err != nil {
		return Keys{}, fmt.Errorf("LAB_SLOT_KEYS: %w", err)
	}
	tags := strings.Fields(string(text))
	if len(tags) != Slots {
		return Keys{}, fmt.Errorf("LAB_SLOT_KEYS has %d tags instead of %d", len(tags), Slots)
	}
	return Keys{client: client, tags: tags}, nil
}

// InSlot is a key in this slot; keys with different suffixes in one slot may share a transaction.
func (k Keys) InSlot(slot int, suffix string) string {
	return fmt.Sprintf("{%s}:%s:%s", k.tags[slot], k.client, suffix)
}

// Spread gives keys in evenly spaced slots, and so in all shards.
func (k Keys) Spread(number int, suffix string) []string {
	keys := make([]string, number)
	for i := range keys {
		keys[i] = k.InSlot(i*Slots/number, suffix)
	}
	return keys
}
