"""`python -m lab.web.agent`: what the page shows and does, inside the sandbox, as lines of JSON.

Standard output: {"kind": report | load | change | fault | trouble, …}. Standard input: {"event": …, "about": …} asks
for one of the lab's events. It ends with its input, and its programs with it; the lab stays.
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

Teller = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Mouth:
    """Standard output for several threads, a line at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, kind: str, **about: Any) -> None:
        """Tells one thing."""
        line = json.dumps({"kind": kind, **about})
        with self.lock:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


@dataclass(slots=True)
class Maps:
    """What the account says that clients should find."""

    ports: Ports
    settings: Settings

    @staticmethod
    def open() -> "Maps":
        """As the deployed function is set; raises LabError when it is not deployed."""
        function = Product().outputs["ResyncFunction"]
        told = client("lambda").get_function_configuration(FunctionName=function)
        settings = Settings.from_environment(told["Environment"]["Variables"])
        return Maps(aws_ports(settings), settings)

    def latest(self) -> dict[str, Any]:
        """The map of this moment."""
        seen = read_snapshot(self.ports, self.settings)
        cluster = self.settings.replication_group_id
        return targets_from_snapshot(seen, seen.topology, self.settings, cluster).document()


@dataclass(slots=True)
class Changes:
    """What the resync has changed, from its log; each line once."""

    group: str
    told: set[str] = field(default_factory=set)

    def since(self, seconds: float) -> list[dict[str, Any]]:
        """The changes that were not told yet, of the last so many seconds."""
        pages = (
            client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=self.group, startTime=int((time.time() - seconds) * 1000))
        )
        found = []
        for event in (event for page in pages for event in page["events"]):
            line = event["message"]
            if line.startswith("{") and line not in self.told:
                self.told.add(line)
                told = json.loads(line)
                if told.get("message") == "change" and told["type"] == "A":
                    found.append(told | {"at": event["timestamp"] / 1000})
        return found


def walker(world: World) -> subprocess.Popen[str]:
    """The probe in the client's network; its input is ours, its output goes on as reports."""
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


def relay(process: subprocess.Popen[str], ended: threading.Event, tell: Teller) -> None:
    """Hands the probe's reports on."""
    for line in process.stdout or ():
        tell("report", report=json.loads(line))
    if not ended.is_set():
        tell("trouble", text=f"the probe in the client's network ended with {process.wait()}")


def happen(about: Mapping[str, str], tell: Teller) -> None:
    """Carries out one event, and says what came of it. Once begun it goes on to its end, so that no deploy is cut."""
    words = [one for one in (about["event"], about["about"]) if one]
    done = subprocess.run(
        [sys.executable, "-m", "lab.console.agent", "event", *words],
        cwd=layout.ROOT,
        capture_output=True,
        text=True,
        timeout=EVENT_SECONDS,
        check=False,
    )
    text = (done.stderr if done.returncode else done.stdout).strip().rpartition("\n")[2]
    tell("fault", **about, ok=done.returncode == 0, text=text.removeprefix("lab: "))


def again(ended: threading.Event, seconds: float, work: Callable[[], None], tell: Teller) -> None:
    """Does `work` until the end; a failure is told once, and tried again."""
    last = ""
    while not ended.is_set():
        try:
            work()
            last = ""
        except Exception as error:  # noqa: BLE001 - a page that shows the trouble is the handler
            if str(error) != last:
                tell("trouble", text=" ".join(f"{type(error).__name__}: {error}".split())[:300])
            last = str(error)
        ended.wait(seconds)


def main() -> int:
    """Tells until standard input ends."""
    tell, ended = Mouth(), threading.Event()
    try:
        world = World.attach(layout.run_dir())
        maps, changes = Maps.open(), Changes(Product().log_group)
    except LabError as error:
        tell("trouble", text=str(error))
        return 1
    changes.since(LATE_SECONDS)
    with ExitStack() as stack:
        walking = walker(world)
        stack.callback(programs.end, walking)
        load = Load(world)
        stack.callback(load.end)

        def look() -> None:
            if walking.stdin is not None:
                walking.stdin.write(json.dumps(maps.latest()) + "\n")
                walking.stdin.flush()
            for change in changes.since(LATE_SECONDS):
                tell("change", change=change)

        def count() -> None:
            figures = load.figures()
            tell("load", acknowledged=figures.acknowledged, errors=figures.errors)

        works: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
            (relay, (walking, ended, tell)),
            (again, (ended, LOOK_SECONDS, look, tell)),
            (again, (ended, LOAD_SECONDS, count, tell)),
        ]
        for work, arguments in works:
            threading.Thread(target=work, args=arguments, daemon=True).start()
        for line in sys.stdin:
            threading.Thread(target=happen, args=(json.loads(line), tell), daemon=True).start()
        ended.set()
    return 0


if __name__ == "__main__":
    sys.exit(main())
