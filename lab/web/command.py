"""`nodeway lab up --web`: the page for a lab, until Ctrl-C.

A lab that it has started ends with it; one that was up before stays.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from lab import layout
from lab.console import control
from lab.deployment import cdk as aws
from lab.errors import LabError
from lab.host import programs, run_directory, sandbox
from lab.web.live import Live
from lab.web.server import Server, Site, open_server, serving

END_SECONDS = 20
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve(port: int) -> None:
    """Serve until SIGINT or the end of the lab; raises LabError when the port is taken or no lab comes up."""
    live = Live()
    agent = Agent(live)
    with open_server(Site(live, agent.send), port) as server, interruptible():
        ours = run_directory.running() is None
        if ours:
            control.up()
        try:
            show(agent, server, "the page and the lab" if ours else "the page; the lab stays")
        except KeyboardInterrupt:
            say("ending")
        finally:
            for number in ENDING:  # whoever presses Ctrl-C twice still wants it tidy
                signal.signal(number, signal.SIG_IGN)
            agent.end()
            if ours and run_directory.running() is not None:
                control.down()
    say("the page and the lab have ended" if ours else "the page has ended: the lab is as it was")


def show(agent: "Agent", server: Server, what: str) -> None:
    """Serve until KeyboardInterrupt or the end of the lab; raises LabError when the agent alone ends."""
    agent.begin()
    with serving(server) as address:
        say(f"the map is at {address}")
        say(f"Ctrl-C ends {what}")
        try:
            # without a deadline: the page is served until Ctrl-C, or until the agent ends
            agent.ended.wait()
            if run_directory.running() is not None:
                log = os.path.relpath(layout.run_dir() / "logs" / "web.log")
                raise LabError(f"the page's program in the lab has ended; see {log}")
        finally:
            agent.live.end("The page has ended.")


@dataclass(slots=True)
class Agent:
    """The program in the sandbox that reads the lab and carries out events (lab.web.agent)."""

    live: Live
    ended: threading.Event = field(default_factory=threading.Event)
    _process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Start it in the lab that is up; raises LabError when none is."""
        found = control.current()
        words = [sys.executable, "-m", "lab.web.agent"]
        with (layout.run_dir() / "logs" / "web.log").open("ab") as log:
            self._process = subprocess.Popen(
                sandbox.enter(found.pid, words, user_namespace=found.user_namespace),
                cwd=layout.ROOT,
                env={**os.environ, **aws.environment()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # a Ctrl-C is for us: it ends when its input does
                start_new_session=True,
            )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def send(self, event: str, about: str) -> None:
        """Ask for one of the lab's events."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(json.dumps({"event": event, "about": about}) + "\n")
            self._process.stdin.flush()

    def end(self) -> None:
        """Close its input, at which it ends its programs and itself."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        programs.end(self._process, grace_seconds=0)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.live.receive(json.loads(line))
        self.live.end("The lab has ended.")
        self.ended.set()


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt, as Ctrl-C does."""
    before = [(number, signal.signal(number, signal.default_int_handler)) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def say(what: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()
