package main

import (
	"context"
	"crypto/tls"
	"maps"
	"net"
	"slices"
	"sync"
)

// dials remembers each connection that rueidis opens, and opens it as rueidis would itself.
type dials struct {
	mu     sync.Mutex
	opened map[string]int
}

func (d *dials) dial(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	d.mu.Lock()
	if d.opened == nil {
		d.opened = make(map[string]int)
	}
	d.opened[address]++
	d.mu.Unlock()
	secured := tls.Dialer{NetDialer: dialer, Config: config}
	return secured.DialContext(ctx, "tcp", address)
}

// addresses are those that were dialled, in order.
func (d *dials) addresses() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.opened))
}

// connections is how many were dialled.
func (d *dials) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := 0
	for _, number := range d.opened {
		all += number
	}
	return all
}
