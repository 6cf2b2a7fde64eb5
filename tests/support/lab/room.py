"""A sandbox that stays for some tests, and functions of test modules that run inside it."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import layout
from lab.host import programs, sandbox
from lab.wait import wait_until


@dataclass(frozen=True, slots=True)
class Room:
    """A running sandbox with a run directory."""

    run_dir: Path
    sandbox: sandbox.Sandbox

    @property
    def environment(self) -> dict[str, str]:
        """What programs inside need."""
        path = os.pathsep.join([str(layout.ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {
            **os.environ,
            "LAB_RUN_DIR": str(self.run_dir),
            "PYTHONPATH": path,
            # jsii refuses its cache where the home's parent belongs to a user that the sandbox does not have
            "JSII_RUNTIME_PACKAGE_CACHE": "disabled",
        }

    def run(self, *argv: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program inside and wait for its end; `more` is environment."""
        words = sandbox.enter(self.sandbox.pid, argv, user_namespace=self.sandbox.user_namespace)
        return subprocess.run(
            words,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def call(self, function: Callable[..., object], *arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Run a function of a test module inside, in a fresh interpreter; what it gives travels as JSON."""
        code = function.__code__
        done = self.run(
            sys.executable,
            __file__,
            code.co_filename,
            function.__name__,
            json.dumps(arguments),
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def open_room(run_dir: Path) -> Iterator[Room]:
    """A sandbox for as long as the context lasts."""
    pid_file = run_dir / "sandbox.json"
    words = sandbox.command(["sleep", "infinity"], pid_file=pid_file)
    with programs.running(words, cwd=layout.ROOT):
        found = wait_until(
            lambda: sandbox.running(pid_file), timeout_seconds=60, what="the sandbox"
        )
        # it is entered when its command runs, which is after the last wall
        command = Path(f"/proc/{found.pid}/task/{found.pid}/children")
        wait_until(command.read_text, timeout_seconds=60, what="the walls")
        yield Room(run_dir, found)


def call_here(path: str, function: str, arguments: str) -> None:
    """The other end of `Room.call`."""
    spec = importlib.util.spec_from_file_location("inside", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["inside"] = module
    spec.loader.exec_module(module)
    namespace: Mapping[str, Any] = vars(module)
    print(json.dumps(namespace[function](*json.loads(arguments))))  # noqa: T201 - the way back


if __name__ == "__main__":
    call_here(*sys.argv[1:])
