"""`python -m lab.conformance.run.session JSON`: plays all ways and clients in the sandbox; writes what was seen as
JSON.

It must never judge: lab.conformance.report.report does, outside.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import redis
from rich.console import Console

from lab import layout
from lab.conformance.run.player import Player, Seen
from lab.conformance.suite import manifest as clients
from lab.conformance.suite import modes as ways
from lab.conformance.suite.features import CONNECT, EVENTS
from lab.conformance.suite.manifest import Client
from lab.conformance.suite.modes import Way
from lab.deployment import modes as lab_ways
from lab.deployment.world import World
from lab.errors import LabError
from lab.report.progress import Progress
from lab.state_files import write_json


class Record:
    """What was seen so far, on disk after each step: an end before its time loses nothing."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._seen: dict[str, dict[str, Seen]] = {}

    def note(self, way: str, client: str, seen: Seen) -> None:
        """More was seen of a client in a way."""
        self._seen.setdefault(way, {}).setdefault(client, {}).update(seen)
        told = {
            way: {
                client: {name: asdict(one) for name, one in seen.items()}
                for client, seen in by_client.items()
            }
            for way, by_client in self._seen.items()
        }
        write_json(self._output, told)

    def connects(self, way: str, client: str) -> bool:
        """Whether a client connects in a way."""
        return self._seen[way][client][CONNECT].passed


def play(
    world: World, chosen: list[Way], asked: list[Client], record: Record, teller: Progress
) -> None:
    """All ways, each deployed and then played. Raises LabError when one cannot be deployed."""
    steps = _numbers(len(chosen) * (len(asked) + len(EVENTS)))
    before: Way | None = None
    for way in chosen:
        if not way.deployed_by(before):
            teller.log(f"cdk deploy for {way.name}")
            lab_ways.deploy(way.lab, world.run_dir)
        before = way
        player = Player(world, way)
        for client in asked:
            teller.step(*next(steps), f"{way.name}: {client.name}")
            record.note(way.name, client.name, player.ask(client))
        able = [client for client in asked if record.connects(way.name, client.name)]
        for event in EVENTS:
            teller.step(*next(steps), f"{way.name}: {event} under the load of {len(able)}")
            for name, seen in player.happen(event, able).items():
                record.note(way.name, name, {event: seen})


def _numbers(count: int) -> Iterator[tuple[int, int]]:
    return ((number, count) for number in range(count))


def main() -> int:
    """Plays; gives 1 with a line that says what was wrong."""
    asked = json.loads(sys.argv[1])
    try:
        with Progress(Console(soft_wrap=True)) as teller:
            world = World.start(layout.run_dir(), teller.log)
            play(
                world,
                list(ways.chosen(asked["ways"])),
                list(clients.chosen(asked["clients"])),
                Record(Path(asked["output"])),
                teller,
            )
    except (LabError, redis.RedisError) as error:
        sys.stderr.write(f"conformance: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
