"""The container runtime of the lab: makes namespaces, gives them their network, and starts programs in them.

ministack's ECS drives it in place of Docker. A program's arguments are entryPoint + command, and its environment is
the image's PATH and the container's own.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from lab import layout
from lab.containers.container import Container, ContainerSpec, directory
from lab.containers.images import SYSTEM_PATH, Image, Images
from lab.containers.namespaces import Namespaces
from lab.host import network


class Runtime:
    """Starts containers, in place of a Docker client."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._containers: dict[str, Container] = {}
        self._images = Images(run_dir / "image")
        # The kernel kills a container when the thread that started it ends (lab.host.syscalls.die_with_parent): one
        # thread
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
        path = f"{image.programs}:{SYSTEM_PATH}"
        spec = replace(spec, environment={"PATH": path, **spec.environment})
        state = directory(self._run_dir, spec)
        state.mkdir(parents=True, exist_ok=True)
        log = self._run_dir / "logs" / f"task-{spec.task_id}-{spec.name}.log"
        opened: list[Namespaces] = []

        def move_in(pid: int) -> None:
            opened.append(Namespaces(pid))
            network.join_proxy_vpc(pid, spec.address)

        try:
            process = self._start(spec, log, (), move_in)
        except BaseException:
            for namespaces in opened:
                namespaces.close()
            shutil.rmtree(state, ignore_errors=True)
            raise
        (namespaces,) = opened

        def start_again() -> subprocess.Popen[str]:
            with namespaces.descriptors() as held:
                return self._start(spec, log, held, move_in)

        container = Container(process, spec, image, log, state, namespaces, start_again)
        self._containers[container.id] = container
        return container

    def _start(
        self,
        spec: ContainerSpec,
        log: Path,
        namespaces: tuple[int, ...],
        move_in: Callable[[int], None],
    ) -> subprocess.Popen[str]:
        """Start a process that becomes the container's program, in these namespaces or in new ones."""
        with log.open("ab") as output:
            process = self._starter.submit(_popen, output.fileno(), namespaces).result()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        with process.stdin, process.stdout:
            message = self._message(spec) | {"namespaces": namespaces}
            print(json.dumps(message), file=process.stdin, flush=True)
            said = process.stdout.readline()
            if said == "ready\n":
                move_in(process.pid)
                print("go", file=process.stdin, flush=True)
                said = process.stdout.read()
        if said:
            process.wait()
            raise RuntimeError(
                f"container {spec.name}, {' '.join(spec.argv)[:80]!r}: {said.strip()}"
            )
        return process

    def _message(self, spec: ContainerSpec) -> dict[str, object]:
        return {
            **asdict(spec),
            "state": str(directory(self._run_dir, spec)),
            "authorities": str(self._run_dir / "ca.pem"),
            "keep": sorted(map(str, self._images.needed)),
        }


def _popen(output: int, namespaces: tuple[int, ...]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lab.containers.init"],
        cwd=layout.ROOT,
        env={"PATH": SYSTEM_PATH, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output,
        pass_fds=namespaces,
        start_new_session=True,
        text=True,
    )
