// Package conformance is what the Go clients' programs have in common: the modes, the behaviours, the keys and the load.
// It uses no client library.
package conformance

import (
	"fmt"
	"os"
	"strings"
)

// Options is what a client is opened for: its defaults, reads from replicas, or the time-outs that a load needs.
type Options int

// The options.
const (
	Defaults Options = iota
	FromReplicas
	CarefulTimeouts
)

// Program is the conformance program of one client.
type Program struct {
	Name string
	Open func(Options) (Client, error)
	// Extra has more modes beside commands, connect and load.
	Extra map[string]func(Keys) []Behaviour
}

// Way is how the program is to reach the cluster: per-node, shared, envoy-resp2 or envoy-resp3.
func Way() string { return os.Getenv("LAB_WAY") }

// ByEnvoy says that the client sees one endpoint, Envoy, and no cluster.
func ByEnvoy() bool { return strings.HasPrefix(Way(), "envoy-") }

// Main runs the mode that the command line names, and ends the process with 1 when it cannot.
func Main(program Program) {
	if err := program.run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (p Program) run(arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("one mode is needed: commands, connect, load or a mode of the client's own")
	}
	mode := arguments[0]
	if mode == "connect" {
		return Run(p.connect())
	}
	keys, err := ReadKeys(p.Name)
	if err != nil {
		return err
	}
	switch extra := p.Extra[mode]; {
	case mode == "commands":
		return Run(p.commands(keys))
	case mode == "load":
		client, err := p.Open(CarefulTimeouts)
		if err != nil {
			return err
		}
		defer client.Close()
		return Load(client, keys)
	case extra != nil:
		return Run(extra(keys))
	default:
		return fmt.Errorf("no such mode: %s", mode)
	}
}
