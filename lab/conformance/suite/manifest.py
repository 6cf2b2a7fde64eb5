"""The clients, as each client.json below lab/conformance/clients describes one."""

import json
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lab import layout
from lab.conformance.suite.behaviours import ANY
from lab.conformance.suite.verdicts import ENVOY_LIMITS, Expectation
from lab.deployment.modes import AccessMode
from lab.errors import LabError

HOME = layout.ROOT / "lab" / "conformance" / "clients"
BUILDS = layout.ROOT / "build" / "conformance"
ENVOY = "envoy"
"""What both of Envoy's listeners have in common."""


class Client(BaseModel):
    """A client at its pinned version, and the program that tries it.

    Snippets, options and expected fails are by scope: the name of an access mode, or `envoy` for both of Envoy's
    listeners. What is under `per-node` holds for shared HAProxies too, unless `shared` has something else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: Path
    """Where its program is: HOME/<language>/<name>."""
    language: str
    version: str
    needs: tuple[str, ...] = ()
    """Programs that must be on PATH."""
    build: tuple[tuple[str, ...], ...] = ()
    run: tuple[str, ...]
    snippets: Mapping[str, str]
    """The smallest program that connects, a file of its directory: `per-node` and `envoy`."""
    options: Mapping[str, str] = {}
    """The options in the snippet that are not the client's defaults."""
    expected: Mapping[str, Mapping[str, Expectation | str]] = {}
    """Known fails by behaviour. A string is how the client says what is Envoy's limit for all clients."""
    settings: tuple[str, ...] = ()
    """Advice for its users, a sentence or two each."""

    @property
    def name(self) -> str:
        """The name of its directory."""
        return self.directory.name

    def command(self, words: Collection[str]) -> list[str]:
        """A command line of client.json with its placeholders filled in."""
        tools = Path(sys.executable).parent
        places = {
            "{build}": str(BUILDS / self.name),
            "{python}": sys.executable,
            "{node}": str(tools / "node"),
            "{npm}": str(tools / "npm"),
        }
        filled = list(words)
        for place, value in places.items():
            filled = [word.replace(place, value) for word in filled]
        return filled

    def missing(self) -> list[str]:
        """The programs that it needs and this machine does not have."""
        return [program for program in self.needs if shutil.which(program) is None]

    def snippet(self, mode: AccessMode) -> Path | None:
        """The file that connects in a mode; None where that cannot work."""
        known_fail = self.expectation(mode, ANY)
        return None if known_fail else self.directory / self._first(self.snippets, mode)

    def option(self, mode: AccessMode) -> str:
        """The options in the snippet that are not the client's defaults; empty where there are none."""
        return self._first(self.options, mode)

    def expectation(self, mode: AccessMode, behaviour: str) -> Expectation | None:
        """The known fail of a cell, if any: the client's own comes before that of all clients."""
        limit = ENVOY_LIMITS.get(behaviour) if mode.by_envoy else None
        for scope in scopes(mode):
            own = self.expected.get(scope, {})
            found = own.get(behaviour, own.get(ANY))
            if isinstance(found, str):
                return limit and limit.model_copy(update={"match": found})
            if found:
                return found
        return limit

    def _first(self, values: Mapping[str, str], mode: AccessMode) -> str:
        return next((values[scope] for scope in scopes(mode) if scope in values), "")


def scopes(mode: AccessMode) -> Sequence[str]:
    """The keys under which a client.json may have what is true in a mode, the most specific one first."""
    if mode.by_envoy:
        return (mode.value, ENVOY)
    return tuple(dict.fromkeys((mode.value, AccessMode.PER_NODE.value)))


def read_client(path: Path) -> Client:
    """What a client.json says; raises LabError with what is wrong in it."""
    name = path.relative_to(layout.ROOT)
    try:
        values: dict[str, Any] = json.loads(path.read_text())
        return Client.model_validate({"directory": path.parent, **values})
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise LabError(msg) from None
    except ValueError as error:
        raise LabError(f"{name}: no JSON: {error}") from None


def find_clients() -> tuple[Client, ...]:
    """All clients, by language and name; raises LabError."""
    clients = [read_client(path) for path in HOME.glob("*/*/client.json")]
    return tuple(sorted(clients, key=lambda client: (client.language, client.name)))


def select_clients(names: Collection[str]) -> tuple[Client, ...]:
    """The clients of these names, or all; raises LabError for an unknown name."""
    clients = find_clients()
    known = [client.name for client in clients]
    for name in names:
        if name not in known:
            raise LabError(f"no client {name!r}; there are {', '.join(known)}")
    return tuple(client for client in clients if not names or client.name in names)
