"""`python -m lab.client MODE`: many connections of one client, in the network that it is started in.

idle: thousands of idle connections, then pub/sub beside them. slow: clients that send requests and never read, and
one that measures latency beside them. storm: thousands that reconnect at the same moment.

It knows the names that it is given and what `nodeway.client` knows. Each stage prints one line of JSON and waits for
a line of standard input; the last line is the result.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence

from lab.client import idle, slow, storm
from lab.client.connection import Access, Figures, make_room
from lab.errors import LabError

FAILED = 1


def stage(figures: Figures) -> None:
    """Print the figures so far, and wait for a line of standard input."""
    print(json.dumps(figures), flush=True)  # noqa: T201 - this line is the result so far
    sys.stdin.readline()


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one mode; 1 with {"error": ...} when this machine cannot."""
    options = _options(words)
    access = Access.of(environment)
    try:
        make_room(options.connections)
        if options.mode == "idle":
            figures = idle.run(access, options.names, options.connections, options.messages, stage)
        elif options.mode == "slow":
            figures = slow.run(access, options.names[0], options.connections, stage)
        else:
            figures = storm.run(access, options.names, options.connections)
    except LabError as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201 - the result
        return FAILED
    print(json.dumps(figures), flush=True)  # noqa: T201 - the result
    return 0


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab.client", description=__doc__)
    modes = parser.add_subparsers(dest="mode", required=True)
    for name, connections in (("idle", 10_000), ("slow", 20), ("storm", 2_000)):
        mode = modes.add_parser(name)
        mode.add_argument("--names", nargs="+", required=True, help="the nodes' names")
        mode.add_argument("--connections", type=int, default=connections)
    modes.choices["idle"].add_argument("--messages", type=int, default=100)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
