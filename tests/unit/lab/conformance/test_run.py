"""Who went on under load, judged by what the programs say while they run: none of them is taken at its last word."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.conformance.run import background_load, resharding
from lab.conformance.run.background_load import ROUND, BackgroundLoad, LoadProgram
from lab.conformance.suite.manifest import Client

SECRET = "the-password"
HEAD = """
import json, sys, threading
stopped = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()

def say(errors, *workers):
    print(json.dumps({"acknowledged": sum(workers), "errors": errors, "workers": workers}), flush=True)

def final(lost=0, **more):
    print(json.dumps({"final": True, "errors": 0, "lost": lost, "longest_gap": 0.5} | more), flush=True)
"""
GOES_ON = f"""
count = 0
while not stopped.wait(0.01):
    say(0, count, count)
    count += {ROUND}
"""
Start = Callable[[str, str], LoadProgram]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a program in place of a client's; those that wait in vain do so briefly."""
    monkeypatch.setattr(background_load, "START_SECONDS", 5)
    monkeypatch.setattr(background_load, "RECOVERY_SECONDS", 1)
    monkeypatch.setattr(background_load, "END_SECONDS", 5)
    monkeypatch.setattr(background_load, "PAUSE_SECONDS", 0.01)
    with ExitStack() as running:

        def start_program(name: str, text: str) -> LoadProgram:
            log = tmp_path / f"{name}.log"
            with log.open("w") as errors:
                process = subprocess.Popen(
                    [sys.executable, "-c", HEAD + text],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    start_new_session=True,
                )
            client = Client(
                directory=Path(name), language="Python", version="1", run=(), snippets={}
            )
            program = LoadProgram(client, process, log, SECRET)
            running.callback(program.kill)
            return program

        yield start_program


def run_idle_event(*programs: LoadProgram) -> dict[str, str]:
    """An event in which nothing happens: what was wrong with each client, empty for those that passed."""
    load = BackgroundLoad(programs)
    load.wait_until_writing()
    load.wait_until_recovered()
    seen = load.finish()
    assert not any(SECRET in one.detail for one in seen.values())
    return {name: "" if one.passed else one.detail for name, one in seen.items()}


def test_who_goes_on_and_loses_nothing_passes_beside_one_that_does_not_start(start: Start) -> None:
    one = start("one", GOES_ON + "final()")
    silent = start("silent", "stopped.wait(); final()")
    gone = start("gone", "sys.exit('no module named redis')")

    said = run_idle_event(one, silent, gone)

    assert said["one"] == ""
    assert "not all of its workers wrote" in said["silent"]
    assert said["gone"] == "the program ended with 1 and said: no module named redis"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("say(0, 1, 1)\nstopped.wait()\nfinal()", "not all of its workers went on"),
        (GOES_ON.replace("say(0", "say(count") + "final()", "not all of its workers went on"),
        (GOES_ON.replace("count, count", "count, 1") + "final()", "not all of its workers went on"),
        (GOES_ON + "final(lost=3)", "lost 3 keys"),
        (GOES_ON, "the program ended without its figures"),
        (GOES_ON + "final()\nsys.exit(2)", "the program ended with 2"),
        (GOES_ON + "print('bye')\nfinal()", "not in the contract: bye"),
        (
            GOES_ON + "print(json.dumps({'errors': 0, 'workers': ['x']}))\nfinal()",
            "not in the contract",
        ),
        ("say(0, 1)\nsys.exit(0)", "the program ended with 0"),
        (GOES_ON + f"final(last_errors=['{SECRET}'])", "the program printed the password"),
        (GOES_ON + f"final()\nsys.stderr.write('{SECRET}')", "the program printed the password"),
        (f"say(0, 1)\nsys.exit('{SECRET}')", "the program printed the password"),
    ],
)
def test_who_stops_breaks_off_or_loses_fails(text: str, detail: str, start: Start) -> None:
    assert detail in run_idle_event(start("one", text))["one"]


def test_errors_that_end_are_forgiven(start: Start) -> None:
    """A client may tell its users of a fault; it has recovered when a round of writes has none."""
    text = "say(0, 1)\nsay(5, 1)\n" + GOES_ON.replace("say(0, count, count)", "say(7, count)")

    assert run_idle_event(start("one", text + "final(errors=7)"))["one"] == ""


def test_a_program_that_does_not_end_is_killed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_load, "END_SECONDS", 0.2)
    one = start("one", GOES_ON + "threading.Event().wait()")

    assert "no end in 0.2 s" in run_idle_event(one)["one"]
    assert one.describe_end()


def test_keys_that_move_are_of_every_client_and_spread(start: Start) -> None:
    """A name that another begins with takes none of its keys."""
    load = BackgroundLoad([start(name, GOES_ON) for name in ("redis", "redis-py", "idle")])
    keys = [f"{{{tag}}}:{name}:load:{tag}" for tag in range(100) for name in ("redis", "redis-py")]

    moving = resharding.choose_keys(keys, load, "0001")

    assert {name: len(own) for name, own in moving.items()} == {
        "redis": resharding.KEYS_PER_CLIENT,
        "redis-py": resharding.KEYS_PER_CLIENT,
        "idle": 0,
    }
    assert all(":redis:" in key for key in moving["redis"])
    assert load.failures == {"idle": "none of its keys is in shard 0001"}
