"""Sandboxes and labs for the lab's own tests."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab import layout
from lab.console import control
from lab.errors import LabError
from lab.host import sandbox
from tests.support.lab.command import nodeway, own_run_directory
from tests.support.lab.room import Room, open_room
from tests.support.scheduler import uses_shared_lab


@dataclass
class SharedLab:
    """A lab that is up, with the product in it, for all tests that leave one as they found it."""

    room: Room | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    def start(self, run_dir: Path) -> Room:
        """Starts it for the first test that asks."""
        if self.room is None:
            self._open.enter_context(own_run_directory(run_dir))
            started = nodeway("lab", "up")
            assert started.returncode == 0, started.stderr
            self.room = Room(layout.run_dir(), control.current())
        return self.room

    def end(self) -> None:
        """Ends it, if it is up."""
        with self._open:
            if self.room is not None:
                self.room = None
                ended = nodeway("lab", "down")
                assert ended.returncode == 0, ended.stderr


shared_lab = SharedLab()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Ends the shared lab after the last test that uses it."""
    if not uses_shared_lab(nextitem):
        shared_lab.end()


@pytest.fixture
def up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The shared lab; tests find it as a person does."""
    request.getfixturevalue("walls")
    return shared_lab.start(tmp_path_factory.mktemp("lab") / "run")


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


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run directory of the test's own."""
    return tmp_path / "run"
