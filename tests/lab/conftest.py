"""Sandboxes for the lab's own tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import layout
from lab.console import control
from lab.errors import LabError
from lab.host import sandbox
from tests.support.lab.command import nodeway, own_run_directory
from tests.support.lab.room import Room, open_room


@pytest.fixture(scope="session")
def walls() -> None:
    """Skips, with the reason, where the machine can build no sandbox."""
    try:
        sandbox.check()
    except LabError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def room(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Room]:
    """One sandbox for all tests of a module."""
    request.getfixturevalue("walls")
    with open_room(tmp_path_factory.mktemp("run")) as opened:
        yield opened


@pytest.fixture(scope="module")
def up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """One lab that is up, with the product in it, for all tests of a module; tests find it as a person does."""
    request.getfixturevalue("walls")
    with own_run_directory(tmp_path_factory.mktemp("lab") / "run"):
        started = nodeway("lab", "up")
        assert started.returncode == 0, started.stderr
        yield Room(layout.run_dir(), control.current())
        assert nodeway("lab", "down").returncode == 0


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run directory of the test's own."""
    return tmp_path / "run"
