"""Asks the clients for all that is on the list, in one way. It must never judge what they did."""

from collections.abc import Mapping

from lab.conformance.run import events, nodes, programs
from lab.conformance.suite.features import BEHAVIOURS, COMMANDS, CONNECT, WRONG_CA, WRONG_PASSWORD
from lab.conformance.suite.manifest import Client
from lab.conformance.suite.modes import Way
from lab.conformance.suite.observe import observed, refused
from lab.conformance.suite.verdicts import Observation
from lab.deployment.world import World

CONNECT_SECONDS = 45.0
"""The 20 s of the contract, and what a program may need to start."""
COMMANDS_SECONDS = 20.0 * len(COMMANDS) + 40.0
WRONG = "not-the-password"

Seen = dict[str, Observation]
"""By behaviour."""


class Player:
    """Plays one way."""

    def __init__(self, world: World, way: Way) -> None:
        self._world = world
        self._way = way
        self._logs = world.run_dir / "logs" / "conformance" / way.name
        self._environment = {
            **world.client_environment(way.lab),
            "LAB_SLOT_KEYS": str(programs.write_slot_keys(world.run_dir)),
        }

    def ask(self, client: Client) -> Seen:
        """All that a client is asked for while nothing happens; who does not connect is asked for nothing else."""
        right = self._connect(client, {})
        if not right.passed:
            return dict.fromkeys(BEHAVIOURS, right)
        nodes.empty(self._world)
        other_authority = str(self._world.run_dir / "wrong-ca.pem")
        return {
            CONNECT: right,
            **self._run(client, "commands", COMMANDS, {}, COMMANDS_SECONDS),
            WRONG_PASSWORD: refused(self._connect(client, {"LAB_PASSWORD": WRONG})),
            WRONG_CA: refused(self._connect(client, {"LAB_CA_FILE": other_authority})),
        }

    def happen(self, event: str, able: list[Client]) -> dict[str, Observation]:
        """An event under the load of these clients."""
        logs = self._logs / event
        return events.play(self._world, self._way, event, able, self._environment, logs)

    def _connect(self, client: Client, more: Mapping[str, str]) -> Observation:
        return self._run(client, CONNECT, (CONNECT,), more, CONNECT_SECONDS)[CONNECT]

    def _run(
        self,
        client: Client,
        mode: str,
        behaviours: tuple[str, ...],
        more: Mapping[str, str],
        limit_seconds: float,
    ) -> Seen:
        environment = {**self._environment, **more}
        log = self._logs / f"{client.name}-{'-'.join([mode, *more]).lower()}.log"
        ended = programs.run(client, mode, environment, log, limit_seconds)
        return observed(behaviours, ended, self._environment["LAB_PASSWORD"])
