"""The container runtime of the lab: every container of an ECS task is a real process in namespaces of its own.

ministack's ECS drives it in place of Docker. It must never start anything that the task definition does not say: the
arguments are entryPoint + command, the environment is the image's PATH and the container's own, nothing leaks in.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import layout, network
from lab.errors import LabError
from lab.images import SYSTEM_PATH, Image, Images


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container as its task definition says it; paths and texts only, so that it can be sent as JSON."""

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


@dataclass(frozen=True, slots=True)
class RunningContainer:
    """A container as the run directory shows it: for scenarios that kill one."""

    task_id: str
    name: str
    address: str
    pid: int


def running(run_dir: Path) -> tuple[RunningContainer, ...]:
    """The containers that run now, by task id."""
    found = []
    for path in sorted((run_dir / "containers").glob("*/container.json")):
        with contextlib.suppress(FileNotFoundError):
            found.append(RunningContainer(**json.loads(path.read_text())))
    return tuple(found)


class Container:
    """A started container, with the part of the Docker SDK's face that ministack's ECS uses."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        spec: ContainerSpec,
        image: Image,
        log: Path,
        state: Path,
    ) -> None:
        self.id = uuid.uuid4().hex * 2
        self.spec = spec
        self.pid = process.pid
        self.exited = threading.Event()
        self._process = process
        self._image = image
        self._log = log
        self._state = state
        mark = RunningContainer(spec.task_id, spec.name, spec.address, process.pid)
        (state / "container.json").write_text(json.dumps(asdict(mark)))
        threading.Thread(target=self._reap, daemon=True, name=f"container-{self.id[:8]}").start()

    @property
    def status(self) -> str:
        """`running` or `exited`."""
        return "exited" if self.exited.is_set() else "running"

    def reload(self) -> None:
        """Nothing to fetch: this object is the container."""

    def wait(self) -> dict[str, int]:
        """The exit code as Docker says it: 128 + signal for a killed process."""
        self.exited.wait()
        code = self._process.returncode
        return {"StatusCode": code if code >= 0 else 128 - code}

    def stop(self) -> None:
        """The image's stop signal, SIGKILL after the container's stop timeout; returns when it has ended."""
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
        try:
            done = subprocess.run(
                [enter, f"--target={self.pid}", "--net", "--mount", "--", *argv],
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

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _reap(self) -> None:
        self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # what the program may have left behind
        shutil.rmtree(self._state, ignore_errors=True)
        self.exited.set()


class Runtime:
    """Starts containers; stands where ministack expects a Docker client."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._containers: dict[str, Container] = {}
        self._images = Images(run_dir / "image")
        # The kernel kills a container when the thread that started it ends (lab.linux.die_with_parent): one thread
        # that lasts as long as this process starts them all.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="container-starter")
        (run_dir / "logs").mkdir(parents=True, exist_ok=True)

    @property
    def containers(self) -> "Runtime":
        """`client.containers.get(id)` of the Docker SDK."""
        return self

    def get(self, container_id: str) -> Container:
        """The container of that id; raises KeyError."""
        return self._containers[container_id]

    def pull(self, name: str) -> Image:
        """The image of that name; raises PullError."""
        return self._images.pull(name)

    def run(self, spec: ContainerSpec) -> Container:
        """Start a container and give its network its address; raises RuntimeError with the reason."""
        image = self.pull(spec.image)
        spec = _with_path(spec, f"{image.programs}:{SYSTEM_PATH}")
        state = self._run_dir / "containers" / f"{spec.task_id}-{spec.name}"
        state.mkdir(parents=True, exist_ok=True)
        log = self._run_dir / "logs" / f"task-{spec.task_id}-{spec.name}.log"
        with log.open("ab") as output:
            process = self._starter.submit(_popen, output.fileno()).result()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        with process.stdin, process.stdout:
            print(json.dumps(self._message(spec, state)), file=process.stdin, flush=True)
            said = process.stdout.readline()
            if said == "ready\n":
                network.join_proxy_vpc(process.pid, spec.address)
                print("go", file=process.stdin, flush=True)
                said = process.stdout.read()
        if said:
            process.wait()
            shutil.rmtree(state, ignore_errors=True)
            raise RuntimeError(
                f"container {spec.name}, {' '.join(spec.argv)[:80]!r}: {said.strip()}"
            )
        container = Container(process, spec, image, log, state)
        self._containers[container.id] = container
        return container

    def _message(self, spec: ContainerSpec, state: Path) -> dict[str, object]:
        return {
            **asdict(spec),
            "state": str(state),
            "authorities": str(self._run_dir / "ca.pem"),
            "keep": sorted(map(str, self._images.needed)),
        }


def _with_path(spec: ContainerSpec, path: str) -> ContainerSpec:
    return ContainerSpec(**{**asdict(spec), "environment": {"PATH": path, **spec.environment}})


def _popen(output: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lab.container_init"],
        cwd=layout.ROOT,
        env={"PATH": SYSTEM_PATH, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output,
        start_new_session=True,
        text=True,
    )
