"""`nodeway` in a test: a command run to its end, in an account that is only in memory, and worlds worth a plan."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nodeway.cli.account import Deployment, Reach
from nodeway.cli.main import main
from nodeway.config.model import EnvironmentConfig
from nodeway.errors import CommandError
from nodeway_runtime.model.settings import Settings
from tests.support.fakes import (
    NOW,
    ONE,
    THREE,
    TWO,
    World,
    environment_block,
    fleet,
    marked,
    proxy,
    record,
    settings,
    topology,
    world,
)


@dataclass
class Cloud:
    """An account with these clusters; a text stands for what keeps one from being read."""

    deployed: Mapping[str, tuple[World, Settings] | str]

    def __call__(self, environment: EnvironmentConfig) -> "Cloud":
        """As a command reaches it."""
        del environment
        return self

    def deployment(self, cluster: str) -> Deployment:
        """What is deployed for a cluster."""
        found = self.deployed[cluster]
        if isinstance(found, str):
            raise CommandError(found)
        told, wanted = found
        return Deployment(wanted, told.ports, told.ports.elasticache)


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 (any JSON)
        """The standard output of --json."""
        return json.loads(self.out)

    @property
    def cluster(self) -> dict[str, Any]:
        """The first cluster of it."""
        first: dict[str, Any] = self.json["clusters"][0]
        return first


@dataclass
class Terminal:
    """Runs commands in the project that the working directory is."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, cloud: Reach | None, *words: str) -> Said:
        """One command to its end; without a cloud, against whatever boto3 reaches."""
        with pytest.raises(SystemExit) as ended:
            main(words, cloud)
        out, err = self.capsys.readouterr()
        return Said(int(ended.value.code or 0), out, err)


def write_project(directory: Path, *clusters: str) -> None:
    """A cdk.json with these clusters in `dev`."""
    groups = [{"replication_group_id": one} for one in clusters or ("demo",)]
    project = {"context": {"environments": {"dev": environment_block(clusters=groups)}}}
    (directory / "cdk.json").write_text(json.dumps(project))


def cloud(told: World, **more: Any) -> Cloud:  # noqa: ANN401 (settings)
    """An account with the demo cluster only."""
    return Cloud({"demo": (told, settings(**more))})


def moved() -> World:
    """One node's HAProxy was replaced, another has just got one, and the configuration endpoint is not there yet."""
    return world(
        topology(ONE, TWO),
        fleet(proxy(ONE, "10.20.1.9"), proxy(TWO, "10.20.2.4", zone="us-east-1b")),
        *marked(record(ONE, "10.20.1.5")),
    )


def settled_world() -> World:
    """A world in which everything is true."""
    told = moved()
    told.run()
    return told


def gone() -> World:
    """Two of three nodes were absent twice; the third read comes now."""
    since = NOW - timedelta(hours=1)
    told = world(topology(ONE), fleet(proxy(ONE, "10.20.1.9")))
    told.run()
    told.zone.put(
        *marked(record(TWO, "10.20.1.5"), record(THREE, "10.20.1.6"), since=since, reads=2)
    )
    return told
