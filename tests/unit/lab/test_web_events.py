"""What the lab's page says happened: states that change, failovers, records, and what came of a button."""

from collections.abc import Sequence
from dataclasses import replace

from lab.web.events import Watch, describe_change, describe_request, describe_result
from nodeway_runtime.paths.report import Row
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.reports import report, row

ONE, TWO = "demo-0001-001", "demo-0001-002"


def lines(*moments: Sequence[Row]) -> list[tuple[str, str]]:
    """What each report brings, ten seconds apart."""
    watch = Watch()
    found = [watch.compare(report(*rows), 10.0 * n) for n, rows in enumerate(moments)]
    return [(one.kind, one.text) for several in found for one in several]


def test_first_look_says_only_what_is_wrong() -> None:
    assert lines([row(ONE), row(TWO)]) == []
    assert lines([row(ONE), row(TWO, Verdict.NODE_DOWN)]) == [
        ("state", f"{TWO}: broken, node_down: the proxy answers, but it has no node behind it")
    ]


def test_row_that_breaks_and_recovers_says_for_how_long() -> None:
    told = lines(
        [row(ONE)], [row(ONE, Verdict.DEAD_PROXY)], [row(ONE, Verdict.DEAD_PROXY)], [row(ONE)]
    )

    assert told == [
        ("state", f"{ONE}: broken, dead_proxy: nobody answers at the proxy's address"),
        ("state", f"{ONE} is ok again, after 20 s of dead_proxy"),
    ]


def test_names_come_and_go() -> None:
    assert lines([row(ONE)], [row(ONE), row(TWO)], [row(ONE)]) == [
        ("state", f"{TWO} is a new name: reached"),
        ("state", f"{TWO} is no name of the cluster any more"),
    ]


def test_failover_is_told_also_when_the_old_primary_is_silent() -> None:
    """Its role is unknown then: the last one that led counts."""
    dead = replace(row(ONE, Verdict.NODE_DOWN), role="")
    leads = replace(row(TWO), role="primary")

    told = lines([row(ONE), row(TWO)], [dead, row(TWO)], [dead, leads], [dead, leads])

    assert [text for kind, text in told if kind == "failover"] == [
        f"failover: {TWO} leads shard 0001, after {ONE}"
    ]


def test_describe_change_shows_only_what_is_new() -> None:
    """The configuration endpoint has eight addresses, and one that changes."""
    change = {
        "action": "update",
        "record": "clustercfg.demo.zone",
        "old": ["10.20.1.5", "10.20.2.4"],
        "new": ["10.20.1.9", "10.20.2.4"],
        "why": "it is so",
    }

    assert describe_change(change, 0).text == "~ clustercfg A -10.20.1.5 +10.20.1.9 (it is so)"


def test_record_may_come_or_go() -> None:
    come = {"action": "create", "record": f"{ONE}.zone", "new": ["10.20.1.5"], "why": "healthy"}
    gone = {"action": "delete", "record": f"{ONE}.zone", "old": ["10.20.1.5"], "why": "absent"}

    assert describe_change(come, 0).text == f"+ {ONE} A +10.20.1.5 (healthy)"
    assert describe_change(gone, 0).text == f"- {ONE} A -10.20.1.5 (absent)"


def test_button_says_what_came_of_it() -> None:
    asked = {"event": "restart-node", "about": ONE}

    assert describe_request("resync", "", 0).text == "resync: asked for"
    assert describe_result(asked | {"ok": True, "text": "it is back"}, 0).text == (
        f"restart-node {ONE}: it is back"
    )
    refused = describe_result(asked | {"ok": False, "text": "it is not down"}, 0)
    assert (refused.kind, refused.text) == (
        "trouble",
        f"restart-node {ONE} could not be done: it is not down",
    )
