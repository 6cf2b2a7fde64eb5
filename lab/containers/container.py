"""The lab's containers: each one of an ECS task is a real process in namespaces of its own (lab.containers.runtime).

A program that ends is restarted in the same namespaces as its restart policy says, unless ECS stops the container.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.containers.images import Image
from lab.containers.namespaces import Namespaces
from lab.errors import LabError
from lab.state_files import write_json

SECOND = 1.0
"""How long a second of a restart policy is. A test's may be shorter: a minute is the least that ECS takes."""
LOST = "lost"
"""A file in a container's directory: what happens next is the loss of its host, not the death of its program."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a program that ended is restarted in its container; the period counts from the last start, as in ECS."""

    period_seconds: float
    ignored_exit_codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container of a task definition; of paths and texts only, so that it can be sent as JSON."""

    task_id: str
    name: str
    image: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    address: str
    ulimits: tuple[Mapping[str, object], ...]
    volumes: tuple[str, ...]
    read_only_root: bool
    drop_all_capabilities: bool
    stop_timeout_seconds: float
    restart: RestartPolicy | None = None


@dataclass(frozen=True, slots=True)
class RunningContainer:
    """A container as the run directory shows it, for scenarios that kill one.

    `pid`: its program's, another one after each restart; `restarts_from`: the time (of `time.monotonic`) from which on
    a program that ends is restarted, or None.
    """

    task_id: str
    name: str
    address: str
    pid: int
    restarts_from: float | None


def running(run_dir: Path) -> tuple[RunningContainer, ...]:
    """The containers that run now, by task id."""
    found = []
    for path in sorted((run_dir / "containers").glob("*/container.json")):
        with contextlib.suppress(FileNotFoundError):
            found.append(RunningContainer(**json.loads(path.read_text())))
    return tuple(found)


def directory(run_dir: Path, container: ContainerSpec | RunningContainer) -> Path:
    """The directory of a container's files, which exists as long as it does."""
    return run_dir / "containers" / f"{container.task_id}-{container.name}"


def lose(run_dir: Path, container: RunningContainer) -> None:
    """Lose the container's host: its program and its network end at once, and nothing restarts it."""
    (directory(run_dir, container) / LOST).touch()
    os.kill(container.pid, signal.SIGKILL)


class Container:
    """A started container, with the part of the Docker SDK's interface that ministack's ECS uses.

    `began`: when its program was started last, by `time.monotonic`.
    """

    def __init__(
        self,
        process: subprocess.Popen[str],
        spec: ContainerSpec,
        image: Image,
        log: Path,
        state: Path,
        namespaces: Namespaces,
        start_again: Callable[[], subprocess.Popen[str]],
    ) -> None:
        self.id = uuid.uuid4().hex * 2
        self.spec = spec
        self.exited = threading.Event()
        self._image = image
        self._log = log
        self._state = state
        self._namespaces = namespaces
        self._start_again = start_again
        self._stopping = False
        self._turn = threading.Lock()  # a stop and a restart never cross
        self._run(process)
        threading.Thread(target=self._reap, daemon=True, name=f"container-{self.id[:8]}").start()

    @property
    def status(self) -> str:
        """`running` or `exited`."""
        return "exited" if self.exited.is_set() else "running"

    def reload(self) -> None:
        """Nothing to fetch: this object is the container."""

    def wait(self) -> dict[str, int]:
        """Wait for the end; the exit code as Docker gives it: 128 + signal for a killed process."""
        self.exited.wait()
        return {"StatusCode": self._exit_code()}

    def stop(self) -> None:
        """Send the image's stop signal, then SIGKILL after the container's stop timeout; returns after its end."""
        with self._turn:
            self._stopping = True
            self._signal(self._image.stop_signal)
        if not self.exited.wait(self.spec.stop_timeout_seconds):
            self._signal(signal.SIGKILL)
            self.exited.wait()

    def run_inside(self, argv: tuple[str, ...], timeout_seconds: float) -> bool:
        """Run a command in this container's namespaces; True when it ended in time with exit code 0."""
        enter = shutil.which("nsenter")
        if enter is None:
            raise LabError(
                "nsenter (util-linux) is not on PATH: the lab needs it for container health checks"
            )
        with self._namespaces.descriptors() as held:
            if not held:
                return False
            net, mounts = (f"/proc/{os.getpid()}/fd/{one}" for one in held)
            try:
                done = subprocess.run(
                    [enter, f"--net={net}", f"--mount={mounts}", "--", *argv],
                    env=dict(self.spec.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=timeout_seconds,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return False
        return done.returncode == 0

    def logs(self, **_docker: object) -> Iterator[bytes]:
        """The output of the container, line by line until it ends (Docker's stream=True, follow=True)."""
        with self._log.open("rb") as lines:
            while True:
                ended = self.exited.is_set()
                yield from lines
                if ended:
                    return
                self.exited.wait(0.25)

    def _run(self, process: subprocess.Popen[str]) -> None:
        self._process, self.pid, self.began = process, process.pid, time.monotonic()
        policy = self.spec.restart
        mark = RunningContainer(
            self.spec.task_id,
            self.spec.name,
            self.spec.address,
            self.pid,
            self.began + policy.period_seconds * SECOND if policy else None,
        )
        write_json(self._state / "container.json", asdict(mark))

    def _exit_code(self) -> int:
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _reap(self) -> None:
        while True:
            self._process.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)  # what the program may have left behind
            with self._turn:
                if not self._restarts():
                    break
                try:
                    self._run(self._start_again())
                except (RuntimeError, OSError):
                    break  # as on AWS: it stays ended then, with the exit code that it had
        self._namespaces.close()
        shutil.rmtree(self._state, ignore_errors=True)
        self.exited.set()

    def _restarts(self) -> bool:
        """Whether it is restarted: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerRestartPolicy.html."""
        policy = self.spec.restart
        if policy is None or self._stopping or (self._state / LOST).exists():
            return False
        ran_for = time.monotonic() - self.began
        return (
            ran_for >= policy.period_seconds * SECOND
            and self._exit_code() not in policy.ignored_exit_codes
        )
