"""The clients: what each client.json below lab/conformance/clients says. It must never run one."""

import json
import shutil
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lab import layout
from lab.conformance.suite.features import ANY
from lab.conformance.suite.verdicts import Expectation
from lab.errors import LabError

HOME = layout.ROOT / "lab" / "conformance" / "clients"
BUILDS = layout.ROOT / "build" / "conformance"


class Client(BaseModel):
    """A client at its pinned version, and the program that tries it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: Path
    """Where its program is: HOME/<language>/<name>."""
    language: str
    version: str
    needs: tuple[str, ...] = ()
    """Programs that must be on PATH."""
    build: tuple[tuple[str, ...], ...] = ()
    run: tuple[str, ...]
    snippets: Mapping[str, str | None]
    """Way to the smallest program that connects, a file of its directory; None: that way cannot work."""
    options: Mapping[str, str] = {}
    """Way to the options in the snippet that are not the client's defaults."""
    expected: Mapping[str, Mapping[str, Expectation | None]] = {}
    """Way and behaviour to a known fail; None: it passes, whatever others do there."""
    settings: tuple[str, ...] = ()

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
        filled = []
        for word in words:
            text = word
            for place, value in places.items():
                text = text.replace(place, value)
            filled.append(text)
        return filled

    def missing(self) -> list[str]:
        """The programs that it needs and this machine does not have."""
        return [program for program in self.needs if shutil.which(program) is None]

    def expectation(
        self, way: str, behaviour: str, shared: Mapping[str, Expectation]
    ) -> Expectation | None:
        """The known fail of a cell, if any: the client's own word comes before that on all clients of the way."""
        own = self.expected.get(way, {})
        for name in (behaviour, ANY):
            if name in own:
                return own[name]
        return shared.get(behaviour)


def read(path: Path) -> Client:
    """What a client.json says; raises LabError with what is wrong in it."""
    try:
        return Client.model_validate({"directory": path.parent, **json.loads(path.read_text())})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"{path.relative_to(layout.ROOT)}: {where}: {first['msg']}"
        raise LabError(msg) from None
    except ValueError as error:
        msg = f"{path.relative_to(layout.ROOT)}: no JSON: {error}"
        raise LabError(msg) from None


def found() -> tuple[Client, ...]:
    """All clients, by language and name; raises LabError."""
    clients = [read(path) for path in sorted(HOME.glob("*/*/client.json"))]
    return tuple(sorted(clients, key=lambda client: (client.language, client.name)))


def chosen(names: Collection[str]) -> tuple[Client, ...]:
    """The clients of these names, or all; raises LabError for a name that there is not."""
    clients = found()
    there = [client.name for client in clients]
    for name in names:
        if name not in there:
            msg = f"no client {name!r}; there are {', '.join(there)}"
            raise LabError(msg)
    return tuple(client for client in clients if not names or client.name in names)
