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
from contextlib import closing
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

_output = threading.Lock()


def emit(kind: str, **about: Any) -> None:
    """Writes one message; for several threads, a line at a time."""
    line = json.dumps({"kind": kind, **about})
    with _output:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def read_settings() -> Settings:
    """The settings of the deployed function; raises LabError when it is not deployed."""
    function = Product().outputs["ResyncFunction"]
    told = client("lambda").get_function_configuration(FunctionName=function)
    return Settings.from_environment(told["Environment"]["Variables"])


def read_targets(ports: Ports, settings: Settings) -> dict[str, Any]:
    """Which addresses clients should find now, as a document of nodeway_runtime.paths.targets."""
    seen = read_snapshot(ports, settings)
    cluster = settings.replication_group_id
    return targets_from_snapshot(seen, seen.topology, settings, cluster).document()


@dataclass(slots=True)
class Changes:
    """Record changes in the resync's log; each once."""

    group: str
    seen: set[str] = field(default_factory=set)

    def read_new(self) -> list[dict[str, Any]]:
        """The changes since the last call, but none that is older than LATE_SECONDS."""
        since = int((time.time() - LATE_SECONDS) * 1000)
        reader = client("logs").get_paginator("filter_log_events")
        pages = reader.paginate(logGroupName=self.group, startTime=since)
        found = []
        for event in (event for page in pages for event in page["events"]):
            line = event["message"]
            if line.startswith("{") and line not in self.seen:
                self.seen.add(line)
                told = json.loads(line)
                if told.get("message") == "change" and told["type"] == "A":
                    found.append(told | {"at": event["timestamp"] / 1000})
        return found


def relay(process: subprocess.Popen[str], ended: threading.Event) -> None:
    """Pass the probe's reports on."""
    for line in process.stdout or ():
        emit("report", report=json.loads(line))
    if not ended.is_set():
        emit(
            "trouble",
            text=f"the probe in the client's network ended with {process.wait(programs.END_SECONDS)}",
        )


def run_event(about: Mapping[str, str]) -> None:
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


def repeat(ended: threading.Event, seconds: float, work: Callable[[], None]) -> None:
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
    try:
        world = World.attach(layout.run_dir())
        settings, changes = read_settings(), Changes(Product().log_group)
    except LabError as error:
        emit("trouble", text=str(error))
        return 1
    changes.read_new()
    ports = aws_ports(settings)
    ended, load = threading.Event(), Load(world)
    words, environment = world.client_command([sys.executable, "-m", "lab.web.prober"])
    environment["LAB_WEB_CLIENT"] = f"{layout.CLIENT_VPC.vpc_id} ({layout.CLIENT_ADDRESS})"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with programs.running(words, cwd=layout.ROOT, env=environment, **pipes) as probe, closing(load):

        def send_targets() -> None:
            if probe.stdin is not None:
                probe.stdin.write(json.dumps(read_targets(ports, settings)) + "\n")
                probe.stdin.flush()
            for change in changes.read_new():
                emit("change", change=change)

        def send_load() -> None:
            acknowledged, errors = load.figures()
            emit("load", acknowledged=acknowledged, errors=errors)

        works: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
            (relay, (probe, ended)),
            (repeat, (ended, LOOK_SECONDS, send_targets)),
            (repeat, (ended, LOAD_SECONDS, send_load)),
        ]
        for work, arguments in works:
            threading.Thread(target=work, args=arguments, daemon=True).start()
        for line in sys.stdin:
            threading.Thread(target=run_event, args=[json.loads(line)], daemon=True).start()
        ended.set()
    return 0


if __name__ == "__main__":
    sys.exit(main())
