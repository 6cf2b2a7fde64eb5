"""A report as it is read by who did not make it: another function, another release, a person."""

import json
from dataclasses import replace
from typing import Any

import pytest

from nodeway_runtime.paths.report import VERSION, Report, from_document, sum_known, to_document
from nodeway_runtime.paths.verdicts import MEANINGS, State, Verdict
from tests.support.reports import endpoint, nodes, report, row

BAD = report(
    row("demo-0001-001"),
    row("demo-0002-001", Verdict.DEAD_PROXY),
    row("demo-0001-002", Verdict.NO_PERMISSION),
    row("clustercfg", Verdict.STALE_ANSWER),
)
FULL = replace(
    BAD, failovers=1, rejected_connections=2, notes=("half was read",), connections=9, port=6380
)


@pytest.mark.parametrize(
    "one",
    [
        FULL,
        report(),
        report(replace(row("demo-0001-001", Verdict.MISSING_RECORD), paths=())),
        report(row("demo-0001-001", paths=[replace(endpoint("a").paths[0], proxy=None)])),
        replace(report(), rows=()),
    ],
    ids=["full", "in order", "no paths", "nobody's address", "no rows"],
)
def test_report_is_the_same_after_it_was_written_and_read(one: Report) -> None:
    """As JSON; the worst row is first then."""
    assert from_document(json.loads(json.dumps(to_document(one)))) == replace(
        one, rows=one.worst_first
    )


def test_document_says_of_each_row_what_is_wrong_and_what_to_do() -> None:
    told = to_document(FULL)

    worst = told["rows"][0]
    meaning = MEANINGS[Verdict.STALE_ANSWER]
    assert (worst["label"], worst["state"]) == ("clustercfg", "broken")
    assert (worst["what"], worst["next"]) == (meaning.what, meaning.next)
    assert told["version"] == VERSION
    assert (told["worst"], told["counts"]) == ("broken", {"ok": 1, "degraded": 1, "broken": 2})


ROW = to_document(FULL)["rows"][0]


def changed(**keys: Any) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
    return to_document(FULL) | keys


def lacking(key: str) -> dict[str, Any]:
    return {name: value for name, value in to_document(FULL).items() if name != key}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (changed(version=VERSION + 1), f"a report of version {VERSION + 1}; allowed: {VERSION}"),
        (lacking("version"), "not a report of the probe: KeyError('version')"),
        (lacking("depth"), "not a report of the probe: KeyError('depth')"),
        (changed(rows=None), "not a report of the probe: TypeError"),
        (changed(rows=[{}]), "not a report of the probe: KeyError"),
        (changed(rows=[{**ROW, "verdict": "fine"}]), "'fine' is not a valid"),
        (changed(rows=[{**ROW, "more": 1}]), "unexpected keyword"),
    ],
    ids=["newer", "none", "half", "no rows", "empty row", "unknown verdict", "unknown field"],
)
def test_what_is_no_report_of_this_version_is_refused_with_why(
    told: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why.replace("(", r"\(").replace(")", r"\)")):
        from_document(told)


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([Verdict.OK, Verdict.OK], State.OK),
        ([Verdict.OK, Verdict.NO_PERMISSION], State.DEGRADED),
        ([Verdict.NO_PERMISSION, Verdict.NODE_DOWN, Verdict.OK], State.BROKEN),
        ([Verdict.NOT_WALKED], State.DEGRADED),
        ([], State.DEGRADED),
    ],
)
def test_report_is_as_bad_as_its_worst_row(verdicts: list[Verdict], worst: State) -> None:
    """Unknown is never empty: who could not be told which names there are has seen nothing."""
    rows = tuple(row(label, one) for label, one in zip(nodes(2), verdicts, strict=False))

    assert replace(report(), rows=rows).worst is worst


def test_worst_rows_come_first_and_equals_by_name() -> None:
    assert [one.label for one in BAD.worst_first] == [
        *("clustercfg", "demo-0002-001", "demo-0001-002", "demo-0001-001")
    ]


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_has_a_meaning_and_a_next_step_unless_all_is_well(verdict: Verdict) -> None:
    meaning = MEANINGS[verdict]

    assert meaning.what
    assert bool(meaning.next) is (verdict is not Verdict.OK)
    assert (meaning.state is State.OK) is (verdict is Verdict.OK)


@pytest.mark.parametrize(
    ("values", "told"), [([None, None], None), ([], None), ([1, None, 2], 3), ([0, None], 0)]
)
def test_sum_of_what_nobody_knows_is_unknown(values: list[int | None], told: int | None) -> None:
    assert sum_known(values) == told
