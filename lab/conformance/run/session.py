"""`python -m lab.conformance.run.session JSON`: runs clients in access modes in the sandbox; writes what was seen."""

import json
import sys
from dataclasses import asdict
from itertools import count
from pathlib import Path

import redis
from rich.console import Console

from lab import layout
from lab.conformance.run.runner import Observations, Runner
from lab.conformance.suite.behaviours import CONNECT, EVENTS
from lab.conformance.suite.manifest import Client, select_clients
from lab.conformance.suite.modes import select_modes
from lab.deployment import modes as deployment
from lab.deployment.modes import AccessMode
from lab.deployment.world import World
from lab.errors import LabError
from lab.host.foreground import INTERRUPTED
from lab.report.progress import Progress
from lab.state_files import write_json


class Record:
    """What was seen so far, written to a file after each step, so that an early end loses nothing."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._seen: dict[str, dict[str, Observations]] = {}

    def add(self, mode: str, client: str, observations: Observations) -> None:
        """Adds what was seen of a client in a mode."""
        self._seen.setdefault(mode, {}).setdefault(client, {}).update(observations)
        values = {
            mode: {
                client: {behaviour: asdict(one) for behaviour, one in observations.items()}
                for client, observations in by_client.items()
            }
            for mode, by_client in self._seen.items()
        }
        write_json(self._output, values)

    def connects(self, mode: str, client: str) -> bool:
        """Whether a client connects in a mode."""
        return self._seen[mode][client][CONNECT].passed


def run_modes(
    world: World,
    modes: tuple[AccessMode, ...],
    clients: tuple[Client, ...],
    record: Record,
    progress: Progress,
) -> None:
    """Deploys each mode and runs all clients in it. Raises LabError when one cannot be deployed."""
    numbers, total = count(), len(modes) * (len(clients) + len(EVENTS))
    before: AccessMode | None = None
    for mode in modes:
        # Envoy's two listeners are of the same deployment
        if not (before and before.by_envoy and mode.by_envoy):
            progress.log(f"cdk deploy for {mode}")
            deployment.deploy(mode, world.run_dir)
        before = mode
        runner = Runner(world, mode)
        for client in clients:
            progress.step(next(numbers), total, f"{mode}: {client.name}")
            record.add(mode, client.name, runner.run_client(client))
        connected = [client for client in clients if record.connects(mode, client.name)]
        for event in EVENTS:
            progress.step(
                next(numbers), total, f"{mode}: {event} under the load of {len(connected)}"
            )
            for name, observation in runner.run_event(event, connected).items():
                record.add(mode, name, {event: observation})


def main() -> int:
    """Runs what the JSON of the command line says; returns the exit code."""
    request = json.loads(sys.argv[1])
    try:
        with Progress(Console(soft_wrap=True)) as progress:
            world = World.start(layout.run_dir(), progress.log)
            run_modes(
                world,
                select_modes(request["ways"]),
                select_clients(request["clients"]),
                Record(Path(request["output"])),
                progress,
            )
    except (LabError, redis.RedisError) as error:
        sys.stderr.write(f"conformance: {error}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
