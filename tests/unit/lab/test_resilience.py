"""What a fault may cost, whose loss it is, and the page that shows it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.errors import LabError
from lab.resilience import page
from lab.resilience.attribution import SECONDS_BEFORE, Failover, allowed
from lab.resilience.limits import felt, hold, recovery_seconds
from lab.resilience.loads import Loads, all_at_once
from lab.resilience.suite import CHAPTER, SHORT
from lab.resilience.table import cells, of_crowds
from lab.scenarios.scenario import ExpectationFailed, Load
from nodeway.client.load import Writer
from nodeway.client.slots import SLOTS, part, slot_in, slot_of, tags

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
    assert [slot_of(tag) for tag in tags()] == list(range(SLOTS))


@pytest.mark.parametrize("threads", [1, 3, 4, 6])
def test_parts_cover_all_slots_and_each_slot_has_its_turn(threads: int) -> None:
    parts = [part(number, threads) for number in range(threads)]

    assert [slot for one in parts for slot in one] == list(range(SLOTS))
    for one in parts:
        assert {slot_in(one, sequence) for sequence in range(len(one))} == set(one)


def test_keys_of_two_runs_differ_and_lie_in_the_threads_slots() -> None:
    """A value of an earlier run at the same key would hide a loss."""
    slots = part(1, 3)
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
    assert allowed((slot, at), FAILOVER) is by_redis


def test_losses_are_parted() -> None:
    """One in the failover, one after it, one of another shard."""
    load = Load(Path("stop"), Path("progress"))
    load.figures = {"acknowledged": 9, "errors_by_type": {}, **seen()}
    load.lost = [(5, 1001.0), (5, 1010.0), (200, 1001.0)]
    loads = Loads({"pooled": load}, failovers=[FAILOVER])

    loads.tell()

    assert loads.figures["pooled"]["lost_on_failover"] == 1
    assert loads.figures["pooled"]["lost_acknowledged"] == 2


def test_a_gap_counts_from_when_all_clients_write() -> None:
    """The first is the start's; of one that the start began and the fault went on with, what came after counts."""
    load = Load(Path("stop"), Path("progress"))
    load.figures = {"acknowledged": 9, "errors_by_type": {}, **seen()}
    load.gaps = [(990.0, 9.0), (999.5, 2.0), (1004.0, 0.7)]
    loads = Loads({"pooled": load}, since=1000.0)

    loads.tell()

    assert loads.figures["pooled"]["longest_gap_seconds"] == 1.5


def test_recovery_is_twice_the_direct_and_the_ttl() -> None:
    assert recovery_seconds(4.5) == 14.0


@pytest.mark.parametrize(
    ("pooled", "fresh", "bars"),
    [
        (seen(7.1), seen(), {}),
        (seen(), seen(7.1), {}),
        (seen(lost_acknowledged=1), seen(), {}),
        (seen(), seen(lost_acknowledged=1), {}),
        (seen(1.1), seen(0.5), {"gap": 1.0}),
        (seen(failed=1), seen(), {"retried_once": True}),
    ],
)
def test_bar_is_not_held(pooled: Figures, fresh: Figures, bars: Figures) -> None:
    """Each of these alone is a broken promise, and the figures come along."""
    with pytest.raises(ExpectationFailed) as broken:
        hold({"pooled": pooled, "fresh": fresh, "direct": seen(1.0)}, **bars)

    assert broken.value.figures["pooled"] == pooled


def test_bar_is_held() -> None:
    figures = {"pooled": seen(7.0, lost_on_failover=3), "fresh": seen(7.0), "direct": seen(1.0)}

    hold(figures)

    assert figures["pooled"]["bar_seconds"] == 7.0


def test_fresh_client_is_compared_with_a_fresh_one() -> None:
    """DNS down: who is connected does not notice, whoever is not waits with and without us."""
    figures = {
        "pooled": seen(0.1),
        "fresh": seen(61),
        "direct": seen(0.1),
        "direct_fresh": seen(60),
    }

    hold(figures)

    assert figures["fresh"]["bar_seconds"] == 125.0
    assert figures["pooled"]["bar_seconds"] == 5.2

    hold(figures, connecting=True)

    assert figures["pooled"]["bar_seconds"] == 125.0


def test_names_of_the_chapters_are_unique_and_short_faults_take_seconds() -> None:
    names = [play.__name__ for play in CHAPTER]

    assert len(set(names)) == len(names)
    assert not {"resync_down_10min", "dns_server_down_60s"} & {play.__name__ for play in SHORT}


def test_table_shows_gaps_bars_and_losses() -> None:
    figures = {
        "pooled": seen(3.21, errors=2, lost_on_failover=1, bar_seconds=9),
        "fresh": seen(4.0, errors=1, bar_seconds=12),
        "direct": seen(2.0, lost_on_failover=2),
    }

    assert cells(figures) == ["3.21", "4.00", "2.00", "9 / 12", "3", "0", "0", "1 / 2"]


def test_page_shows_the_figures_beside_it() -> None:
    """The table in docs/faults.md is what the writer makes of docs/faults.json."""
    told = page.PAGE.read_text()
    faults = json.loads(page.FIGURES.read_text())

    assert [one["name"] for one in faults] == list(page.FAULTS)
    assert page.with_table(told, faults) == told, "run: python -m lab.resilience.page"


def test_page_is_not_written_from_a_run_with_a_broken_promise(tmp_path: Path) -> None:
    scenarios = [{"name": name, "passed": True, "figures": {}} for name in page.FAULTS]
    scenarios[0]["passed"] = False
    report = tmp_path / "faults.json"
    report.write_text(json.dumps({"scenarios": scenarios}))

    with pytest.raises(LabError, match=str(scenarios[0]["name"])):
        page.write(report, tmp_path / "faults.md", tmp_path / "figures.json")

    assert not (tmp_path / "figures.json").exists()


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
    with pytest.raises(LabError, match="no client"), all_at_once(clients):
        pass

    assert set(left) <= {"one", "other"}


def test_a_fault_that_nobody_feels_proves_nothing() -> None:
    with pytest.raises(ExpectationFailed, match="must be felt"):
        felt({"direct": seen(0.5)}, "direct", 1.0)


def test_table_tells_of_crowds() -> None:
    figures = {
        "through": {"seconds_until_all_back": 3.5},
        "direct": {"seconds_until_all_back": 2.0},
    }

    assert of_crowds(figures) == ["all back after 3.5 s with us", "all back after 2.0 s without"]
