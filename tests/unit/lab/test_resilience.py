"""What a fault may cost, whose loss it is, and the page that shows it."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lab.errors import LabError
from lab.report.page import read_block
from lab.resilience import report
from lab.resilience.limits import assert_noticed, assert_within_limits
from lab.resilience.loads import SECONDS_BEFORE, Failover, Loads, enter_together
from lab.scenarios.scenario import ExpectationFailed, Load, Result
from nodeway.client.load import Writer
from nodeway.client.slots import SLOTS, hash_tags, slot_in, slot_of, slot_range

Figures = dict[str, Any]
FAILOVER = Failover(frozenset(range(100)), began=1000.0, ended=1004.0)


def seen(gap: float = 1.0, **more: int) -> Figures:
    """What one client saw."""
    return {
        "longest_gap_seconds": gap,
        "failed": 0,
        "errors": 0,
        "lost_acknowledged": 0,
        "lost_on_failover": 0,
    } | more


def test_slot_of_a_key_is_the_clusters_own() -> None:
    """The example of https://valkey.io/topics/cluster-spec/: CRC16 of 123456789 is 0x31C3."""
    assert slot_of("123456789") == 0x31C3


def test_every_slot_has_a_tag_of_its_own() -> None:
    assert [slot_of(tag) for tag in hash_tags()] == list(range(SLOTS))


@pytest.mark.parametrize("threads", [1, 3, 4, 6])
def test_parts_cover_all_slots_and_each_slot_has_its_turn(threads: int) -> None:
    parts = [slot_range(number, threads) for number in range(threads)]

    assert [slot for one in parts for slot in one] == list(range(SLOTS))
    for one in parts:
        assert {slot_in(one, sequence) for sequence in range(len(one))} == set(one)


def test_keys_of_two_runs_differ_and_lie_in_the_threads_slots() -> None:
    """A value of an earlier run at the same key would hide a loss."""
    slots = slot_range(1, 3)
    one, other = Writer("a", 1, slots), Writer("b", 1, slots)

    assert one.key(7) != other.key(7)
    assert slot_of(one.key(7).partition("{")[2].rstrip("}")) == one.slot(7)
    assert one.slot(7) in slots


@pytest.mark.parametrize(
    ("slot", "at", "by_redis"),
    [
        (5, 1000.0 - SECONDS_BEFORE, True),
        (5, 1004.0, True),
        (5, 1000.0 - SECONDS_BEFORE - 0.1, False),
        (5, 1004.1, False),
        (100, 1001.0, False),
    ],
)
def test_a_loss_is_rediss_only_in_the_lost_primarys_slots_and_time(
    slot: int, at: float, *, by_redis: bool
) -> None:
    assert FAILOVER.explains(slot, at) is by_redis


def test_losses_of_redis_are_apart_and_a_gap_counts_from_when_all_clients_write() -> None:
    """One lost in the failover, one after it, one of another shard.

    The first gap is the start's; of one that the start began and the fault went on with, what came after counts.
    """
    load = Load(Path("stop"), Path("progress"))
    load.figures = {"acknowledged": 9, "errors_by_type": {}, **seen()}
    load.lost = [(5, 1001.0), (5, 1010.0), (200, 1001.0)]
    load.gaps = [(990.0, 9.0), (999.5, 2.0), (1004.0, 0.7)]
    loads = Loads({"pooled": load}, since=1000.0, failovers=[FAILOVER])

    loads.collect_figures()

    found = loads.figures["pooled"]
    assert (found["lost_on_failover"], found["lost_acknowledged"]) == (1, 2)
    assert found["longest_gap_seconds"] == 1.5


@pytest.mark.parametrize(
    ("pooled", "fresh", "options"),
    [
        (seen(7.1), seen(), {}),
        (seen(), seen(7.1), {}),
        (seen(lost_acknowledged=1), seen(), {}),
        (seen(), seen(lost_acknowledged=1), {}),
        (seen(1.1), seen(0.5), {"gap": 1.0}),
        (seen(failed=1), seen(), {"retried_once": True}),
    ],
)
def test_limit_is_not_kept(pooled: Figures, fresh: Figures, options: Figures) -> None:
    """Each of these alone fails the expectation, which has the figures."""
    figures = {"pooled": pooled, "fresh": fresh, "direct": seen(1.0)}

    with pytest.raises(ExpectationFailed) as failed:
        assert_within_limits(figures, **options)

    assert failed.value.figures["pooled"] == pooled


def test_limit_is_twice_the_direct_gap_and_the_ttl() -> None:
    figures = {"pooled": seen(7.0, lost_on_failover=3), "fresh": seen(7.0), "direct": seen(1.0)}

    assert assert_within_limits(figures)["pooled"]["limit_seconds"] == 7.0


def test_fresh_client_is_compared_with_a_fresh_one() -> None:
    """DNS down: who is connected does not notice, whoever is not waits with and without us."""
    figures = {
        "pooled": seen(0.1),
        "fresh": seen(61),
        "direct": seen(0.1),
        "direct_fresh": seen(60),
    }

    assert_within_limits(figures)

    assert figures["fresh"]["limit_seconds"] == 125.0
    assert figures["pooled"]["limit_seconds"] == 5.2

    assert_within_limits(figures, connecting=True)

    assert figures["pooled"]["limit_seconds"] == 125.0


def test_tables_show_gaps_limits_and_losses() -> None:
    figures = {
        "pooled": seen(3.21, errors=2, lost_on_failover=1) | {"limit_seconds": 9.0},
        "fresh": seen(4.0, errors=1) | {"limit_seconds": 12.0},
        "direct": seen(2.0, lost_on_failover=2),
    }

    shown = report.cells(report.summarize(figures))

    assert shown == ["3.2 s", "9.0 s", "4.0 s", "2.0 s", "", "3 / 0", "0", "1 / 2"]


def test_terminal_shows_every_result() -> None:
    """A deploy has no clients, and a fault may fail before any has figures."""
    results = [
        Result("one_proxy_per_node", passed=True, seconds=30.0, figures={"records": 7}),
        Result("node_hangs", passed=False, seconds=1.0, figures={"error": "no [node]"}),
    ]
    console = Console(file=io.StringIO(), width=200)

    console.print(report.terminal_table(results))

    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "30.0" in shown
    assert "no [node]" in shown


def test_page_shows_the_figures_beside_it() -> None:
    """The table in docs/faults.md is what the writer makes of docs/faults.json."""
    faults = json.loads(report.PAGE.with_suffix(".json").read_text())

    assert list(faults) == list(report.FAULTS)
    shown = read_block(report.PAGE.read_text(), "figures")
    assert report.page_table(faults) + "\n" == shown, "run: python -m lab.resilience.report"


def test_a_client_that_does_not_start_is_the_error_and_the_others_end() -> None:
    """Nobody writes on when one of them could not begin."""
    left: list[str] = []

    @contextmanager
    def client(name: str) -> Iterator[Load]:
        if name == "broken":
            raise LabError("no client")
        yield Load(Path("stop"), Path("progress"))
        left.append(name)

    clients = {name: client(name) for name in ("one", "broken", "other")}
    with pytest.raises(LabError, match="no client"), enter_together(clients):
        pass

    assert set(left) <= {"one", "other"}


def test_a_fault_that_no_client_notices_proves_nothing() -> None:
    with pytest.raises(ExpectationFailed, match="must notice the fault"):
        assert_noticed({"direct": seen(0.5)}, "direct", 1.0)


def test_tables_show_many_connections() -> None:
    figures = {
        "through": {"seconds_until_all_back": 3.5},
        "direct": {"seconds_until_all_back": 2.0},
    }

    assert report.describe_connections(report.summarize(figures)) == [
        "all back after 3.5 s through HAProxies",
        "all back after 2.0 s direct",
    ]
