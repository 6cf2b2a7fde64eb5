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
    """Serves until it is interrupted, or the lab has ended; raises LabError when the port is taken, or no lab comes."""
    live = Live()
    inside = Inside(live)
    with open_server(Site(live, inside.ask), port) as server, interruptible():
        ours = run_directory.running() is None
        if ours:
            control.up()
        try:
            show(inside, server, "the page and the lab" if ours else "the page; the lab stays")
        except KeyboardInterrupt:
            say("ending")
        finally:
            for number in ENDING:  # whoever presses Ctrl-C twice still wants it tidy
                signal.signal(number, signal.SIG_IGN)
            inside.end()
            if ours and run_directory.running() is not None:
                control.down()
    say("the page and the lab have ended" if ours else "the page has ended: the lab is as it was")


def show(inside: "Inside", server: Server, what: str) -> None:
    """Until the lab ends, or KeyboardInterrupt; raises LabError when the program inside ends without the lab."""
    inside.begin()
    with serving(server) as address:
        say(f"the map is at {address}")
        say(f"Ctrl-C ends {what}")
        try:
            inside.ended.wait()
            if run_directory.running() is not None:
                log = os.path.relpath(layout.run_dir() / "logs" / "web.log")
                raise LabError(f"nobody tells of the lab any more; see {log}")
        finally:
            inside.live.end("The page has ended.")


@dataclass(slots=True)
class Inside:
    """The program inside of the sandbox that tells and does everything (lab.web.agent)."""

    live: Live
    ended: threading.Event = field(default_factory=threading.Event)
    _process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Starts it in the lab that is up; raises LabError when none is."""
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

    def ask(self, event: str, about: str) -> None:
        """Asks for one of the lab's events."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(json.dumps({"event": event, "about": about}) + "\n")
            self._process.stdin.flush()

    def end(self) -> None:
        """It ends with its input, and its programs with it."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        programs.end(self._process, grace_seconds=0)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.live.hear(json.loads(line))
        self.live.end("The lab has ended.")
        self.ended.set()


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM, and the end of the terminal, are Ctrl-C."""
    before = [(number, signal.signal(number, signal.default_int_handler)) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def say(what: str) -> None:
    """A line for the person at the terminal."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()
