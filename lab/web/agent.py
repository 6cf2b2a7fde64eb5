"""`python -m lab.web.agent`: the page's program inside the sandbox; it speaks lines of JSON.

Standard output: {"kind": report | load | change | fault | trouble, …}. Standard input: {"event": …, "about": …} asks
for one of the lab's events. It ends itself and its programs when its input ends; the lab stays.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from lab import layout
from lab.deployment.product import Product, client
from lab.deployment.world import World
from lab.errors import LabError
from lab.host import programs
from lab.web.load import Load
from nodeway_runtime.aws.clients import aws_ports
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.paths.targets import targets_from_snapshot
from nodeway_runtime.planner.reconcile import read_snapshot

LOOK_SECONDS = 2.0
"""How often AWS is asked what clients should find, and the resync for what it has changed."""
LOAD_SECONDS = 1.0
LATE_SECONDS = 120
"""A line of a function's log may be so late."""
EVENT_SECONDS = 900
"""What an event may take, a deploy included."""

Emit = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Output:
    """Standard output for several threads, a line at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, kind: str, **about: Any) -> None:
        """Writes one message."""
        line = json.dumps({"kind": kind, **about})
        with self.lock:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


@dataclass(slots=True)
class TargetReader:
    """Reads from AWS which addresses clients should find."""

    ports: Ports
    settings: Settings

    @staticmethod
    def open() -> "TargetReader":
        """With the settings of the deployed function; raises LabError when it is not deployed."""
        function = Product().outputs["ResyncFunction"]
        told = client("lambda").get_function_configuration(FunctionName=function)
        settings = Settings.from_environment(told["Environment"]["Variables"])
        return TargetReader(aws_ports(settings), settings)

    def latest(self) -> dict[str, Any]:
        """The targets of this moment, as a document of nodeway_runtime.paths.targets."""
        seen = read_snapshot(self.ports, self.settings)
        cluster = self.settings.replication_group_id
        return targets_from_snapshot(seen, seen.topology, self.settings, cluster).document()


@dataclass(slots=True)
class Changes:
    """Record changes in the resync's log; each once."""

    group: str
    seen: set[str] = field(default_factory=set)

    def since(self, seconds: float) -> list[dict[str, Any]]:
        """New changes of the last so many seconds."""
        pages = (
            client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=self.group, startTime=int((time.time() - seconds) * 1000))
        )
        found = []
        for event in (event for page in pages for event in page["events"]):
            line = event["message"]
            if line.startswith("{") and line not in self.seen:
                self.seen.add(line)
                told = json.loads(line)
                if told.get("message") == "change" and told["type"] == "A":
                    found.append(told | {"at": event["timestamp"] / 1000})
        return found


def start_probe(world: World) -> subprocess.Popen[str]:
    """Start the probe in the client's network; it reads targets and writes reports."""
    words, environment = world.client_command([sys.executable, "-m", "lab.web.prober"])
    vpc = layout.CLIENT_VPC.vpc_id
    return subprocess.Popen(
        words,
        cwd=layout.ROOT,
        env=environment | {"LAB_WEB_CLIENT": f"{vpc} ({layout.CLIENT_ADDRESS})"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def relay(process: subprocess.Popen[str], ended: threading.Event, emit: Emit) -> None:
    """Pass the probe's reports on."""
    for line in process.stdout or ():
        emit("report", report=json.loads(line))
    if not ended.is_set():
        emit("trouble", text=f"the probe in the client's network ended with {process.wait()}")


def run_event(about: Mapping[str, str], emit: Emit) -> None:
    """Carry out one event and send its result. It goes on when the page ends, so that no deploy is cut."""
    words = [one for one in (about["event"], about["about"]) if one]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lab.console.agent", "event", *words],
            cwd=layout.ROOT,
            capture_output=True,
            text=True,
            timeout=EVENT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        emit("fault", **about, ok=False, text=f"it did not end within {EVENT_SECONDS} s")
        return
    text = (done.stderr if done.returncode else done.stdout).strip().rpartition("\n")[2]
    emit("fault", **about, ok=done.returncode == 0, text=text.removeprefix("lab: "))


def repeat(ended: threading.Event, seconds: float, work: Callable[[], None], emit: Emit) -> None:
    """Do `work` until the end; an error is sent once, and the work tried again."""
    last = ""
    while not ended.is_set():
        try:
            work()
            last = ""
        except Exception as error:  # noqa: BLE001 - a page that shows the trouble is the handler
            if str(error) != last:
                emit("trouble", text=" ".join(f"{type(error).__name__}: {error}".split())[:300])
            last = str(error)
        ended.wait(seconds)


def main() -> int:
    """Run until standard input ends; 1 when no lab is up."""
    emit, ended = Output(), threading.Event()
    try:
        world = World.attach(layout.run_dir())
        targets, changes = TargetReader.open(), Changes(Product().log_group)
    except LabError as error:
        emit("trouble", text=str(error))
        return 1
    changes.since(LATE_SECONDS)
    with ExitStack() as stack:
        probe = start_probe(world)
        stack.callback(programs.end, probe)
        load = Load(world)
        stack.callback(load.end)

        def send_targets() -> None:
            if probe.stdin is not None:
                probe.stdin.write(json.dumps(targets.latest()) + "\n")
                probe.stdin.flush()
            for change in changes.since(LATE_SECONDS):
                emit("change", change=change)

        def send_load() -> None:
            figures = load.figures()
            emit("load", acknowledged=figures.acknowledged, errors=figures.errors)

        works: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
            (relay, (probe, ended, emit)),
            (repeat, (ended, LOOK_SECONDS, send_targets, emit)),
            (repeat, (ended, LOAD_SECONDS, send_load, emit)),
        ]
        for work, arguments in works:
            threading.Thread(target=work, args=arguments, daemon=True).start()
        for line in sys.stdin:
            threading.Thread(target=run_event, args=(json.loads(line), emit), daemon=True).start()
        ended.set()
    return 0


if __name__ == "__main__":
    sys.exit(main())
