"""`python -m lab.conformance.run.session JSON`: runs clients in access modes in the sandbox; writes what was seen."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
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


def run_modes(
    world: World,
    modes: Sequence[AccessMode],
    clients: Sequence[Client],
    record: Callable[[AccessMode, str, Observations], None],
    progress: Progress,
) -> None:
    """Deploys each mode, runs all clients in it, and records what was seen. Raises LabError when a deploy fails."""
    numbers, total = count(), len(modes) * (len(clients) + len(EVENTS))
    # Envoys are deployed beside a HAProxy for each node, so that one deploy serves three modes
    in_order = sorted(modes, key=lambda mode: not mode.by_envoy)
    for mode in in_order:
        if mode is in_order[0] or mode is AccessMode.SHARED:
            progress.log(f"cdk deploy for {mode}")
            deployment.deploy(mode, world.run_dir)
        runner = Runner(world, mode)
        connected = []
        for client in clients:
            progress.step(next(numbers), total, f"{mode}: {client.name}")
            observations = runner.run_client(client)
            record(mode, client.name, observations)
            if observations[CONNECT].passed:
                connected.append(client)
        for event in EVENTS:
            what = f"{mode}: {event} under the load of {len(connected)}"
            progress.step(next(numbers), total, what)
            for name, observation in runner.run_event(event, connected).items():
                record(mode, name, {event: observation})


def append_lines(output: Path, mode: AccessMode, client: str, observations: Observations) -> None:
    """Appends observations to a file of JSON lines, so that an early end loses nothing."""
    with output.open("a") as lines:
        for behaviour, one in observations.items():
            lines.write(json.dumps([mode.value, client, behaviour, asdict(one)]) + "\n")


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
                partial(append_lines, Path(request["output"])),
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
