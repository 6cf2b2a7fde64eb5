"""docs/operations.md shows what the commands really print."""

import json
import re
from pathlib import Path

import pytest

from lab.layout import ROOT
from tests.support.fakes import (
    ONE,
    STAND_IN,
    THREE,
    TWO,
    World,
    fleet,
    marked,
    proxy,
    record,
    topology,
)
from tests.support.fakes import world as made
from tests.support.pages.documents import DOCS, CheckBlock
from tests.support.terminal import Terminal, cloud, gone

PAGE = DOCS / "operations.md"


@pytest.fixture
def night() -> World:
    """A HAProxy was replaced, a shard was added, and somebody else has a record of ours."""
    seen = topology(ONE, TWO, THREE, "demo-0003-001")
    told = made(seen, fleet(proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.2.4", zone="us-east-1b")))
    told.run()
    told.ecs.answer = fleet(
        proxy(ONE, "10.20.1.9"),
        proxy(TWO, "10.20.2.4", zone="us-east-1b"),
        proxy(THREE, "10.20.3.7", zone="us-east-1c", stand_in=True),
    )
    told.zone.put(*marked(record(THREE, "10.9.9.9"), owner="nodeway/old/demo"))
    return told


def shell(command: str, said: str) -> str:
    """A command and what it prints, as a block of the page."""
    return f"```console\n$ {command}\n{said}```\n"


def test_page_shows_a_plan(nodeway: Terminal, night: World, agrees: CheckBlock) -> None:
    """Records, a stand-in, a refusal, the count and the checksum."""
    said = nodeway(cloud(night, stand_in=STAND_IN), "plan", "--env", "dev")

    agrees(PAGE, "plan", shell("nodeway plan --env dev", said.out))


def test_page_shows_an_apply(nodeway: Terminal, night: World, agrees: CheckBlock) -> None:
    """The end of it, and what an old checksum gets."""
    there = cloud(night, stand_in=STAND_IN)
    stale = nodeway(there, "apply", "--env", "dev", "--checksum", "0123456789ab")
    checksum = nodeway(there, "plan", "--env", "dev", "--json").cluster["checksum"]
    command = f"apply --env dev --checksum {checksum}"
    done = nodeway(there, *command.split())

    last = done.out.splitlines()[-1]
    text = shell("nodeway apply --env dev --checksum 0123456789ab   # …", stale.err)
    text += shell(f"nodeway {command}   # …", f"{last}\n")
    agrees(PAGE, "apply", text)


def test_page_shows_an_explanation(nodeway: Terminal, night: World, agrees: CheckBlock) -> None:
    """Of a name that is another deployment's."""
    said = nodeway(cloud(night), "explain", THREE, "--env", "dev")

    agrees(PAGE, "explain", shell(f"nodeway explain {THREE} --env dev", said.out))


def test_page_shows_an_approval(nodeway: Terminal, agrees: CheckBlock) -> None:
    """Two nodes of three are gone: more deletes than usual, so a person looks."""
    told = gone()
    asked = nodeway(cloud(told), "plan", "--env", "dev")
    refused = nodeway(cloud(told), "plan", "--env", "dev", "--json").cluster["refused"]
    sum_of_deletes = refused[0]["reason"].rpartition("approve=")[2]
    command = f"plan --env dev --approve {sum_of_deletes}"
    shown = nodeway(cloud(told), *command.split())

    text = shell("nodeway plan --env dev", asked.out) + shell(f"nodeway {command}", shown.out)
    agrees(PAGE, "approve", text)


def test_page_lists_the_keys_for_machines(nodeway: Terminal, night: World) -> None:
    """Each key of --json is explained."""
    there = cloud(night, stand_in=STAND_IN)
    plan = nodeway(there, "plan", "--env", "dev", "--json").cluster
    explained = nodeway(there, "explain", TWO, "--env", "dev", "--json").json
    keys = {*plan, *explained, *plan["changes"][0], *plan["stand_ins"][0], *plan["refused"][0]}
    keys |= {*explained["answers"][0], *explained["answers"][0]["task"], *explained["node"]}

    named = set(re.findall(r"`(\w+)`", PAGE.read_text()))

    assert keys - named == set()


def test_page_shows_figures_of_the_bench() -> None:
    """The table has the columns and cases of build/bench/resync.json, and calls are exact."""
    rows = re.findall(r"^\| (\d+) \| ([^|]+?) \| (\d+) \|", PAGE.read_text(), re.MULTILINE)
    told = {(int(nodes), case): int(calls) for nodes, case, calls in rows}
    report = Path(ROOT / "build" / "bench" / "resync.json")

    assert len(told) == 9
    if report.exists():
        measured = json.loads(report.read_text())["rows"]
        assert told == {(row["nodes"], row["case"]): row["calls"] for row in measured}
