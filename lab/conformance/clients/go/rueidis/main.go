// The conformance program of rueidis: it tries what Nodeway promises, through the very snippets that the documentation shows.
package main

import (
	"fmt"
	"os"

	"nodeway.test/conformance"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("one mode is needed: commands, connect, load, extras or wrong-settings")
	}
	open, err := way()
	if err != nil {
		return err
	}
	if arguments[0] == "connect" {
		return conformance.Run(connect(open))
	}
	keys, err := conformance.ReadKeys("rueidis")
	if err != nil {
		return err
	}
	l := lab{open, keys}
	switch arguments[0] {
	case "commands":
		return conformance.Run(commands(l))
	case "extras":
		return conformance.Run(extras(l))
	case "wrong-settings":
		return conformance.Run(wrongSettings(l))
	case "load":
		return load(l)
	default:
		return fmt.Errorf("no such mode: %s", arguments[0])
	}
}
