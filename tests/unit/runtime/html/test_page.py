"""The map: what it says first, what it never lets through, and how large it may become."""

from dataclasses import replace
from datetime import timedelta

import pytest

from nodeway_runtime.html.page import MAX_BYTES, render_fragment, render_page
from nodeway_runtime.paths.report import Path, Proxy, Report, Row
from nodeway_runtime.paths.trace import Phase
from nodeway_runtime.paths.verdicts import MEANINGS, State, Verdict
from tests.support.pages.html_page import Page
from tests.support.reports import NOW, endpoint, nodes, path, report, row

HOSTILE = "<img src=x onerror=alert(1)>\"'&\u202egnp.exe\x00"


def shown(told: Report) -> Page:
    return Page(render_fragment(told, NOW))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (report(), "7 of 7 names reached"),
        (report(), "seen 12 s ago from vpc-0c11e47a000000001 · depth identity"),
        (report(row("a"), row("b", Verdict.DEAD_PROXY)), "1 of 2 names reached · 1 broken"),
        (report(row("a"), Row("b.zone", Verdict.NOT_WALKED)), "1 of 2 names reached · 1 degraded"),
        (replace(report(), failovers=1), "1 failover since the last run"),
        (report(replace(row("a"), moved=1234, asked=5)), "1,234 / 5"),
    ],
)
def test_page_says_what_was_seen_and_when_from_where_and_how_deep(told: Report, said: str) -> None:
    assert said in shown(told).words


@pytest.mark.parametrize("at", [(NOW - timedelta(hours=2)).isoformat(), "", "yesterday"])
def test_report_that_is_old_or_has_no_time_is_no_good_news(at: str) -> None:
    """A green map that nobody renews is worse than none."""
    text = render_fragment(replace(report(), at=at), NOW)

    assert 'data-state="old"' in text
    assert ("names reached, but that was 2 h ago" in text) is at.startswith("2026")


def test_report_without_names_is_no_good_news() -> None:
    text = render_fragment(replace(report(), rows=()), NOW)

    assert "no name was walked" in text
    assert 'class="hd ok"' not in text


def test_worst_stand_first_and_each_trouble_says_what_it_is_and_what_to_do() -> None:
    told = report(
        row("demo-0001-001"),
        row("demo-0001-002", Verdict.NO_PERMISSION),
        row("demo-0002-001", Verdict.WRONG_PROXY),
        row("demo-0002-002", Verdict.DEAD_PROXY),
    )
    found = shown(told)

    assert [one["data-state"] for one in found.rows] == ["broken", "broken", "degraded", "ok"]
    for verdict in (Verdict.NO_PERMISSION, Verdict.WRONG_PROXY, Verdict.DEAD_PROXY):
        assert MEANINGS[verdict].what in found.words
        assert MEANINGS[verdict].next.replace("`", "") in found.words


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_shows_its_state_as_word_and_sign(verdict: Verdict) -> None:
    """Never by colour alone."""
    found = shown(report(row("demo-0001-001", verdict), row("demo-0001-002")))
    state = MEANINGS[verdict].state
    (mine,) = [one for one in found.rows if one["data-name"] == "demo-0001-001"]

    assert (mine["data-state"], mine["data-verdict"]) == (state.value, verdict.value)
    sign = {State.OK: "✓", State.DEGRADED: "▲", State.BROKEN: "✕"}[state]
    assert f"{sign} {state}" in found.words


def test_row_shows_the_way_from_name_to_proxy_to_node() -> None:
    words = shown(report(row("demo-0001-001"))).words

    for part in ("demo-0001-001", "10.20.1.5", "us-east-1a", "00000003", "healthy", "primary"):
        assert part in words
    assert "0.9 · 0.4 · 3.1 · 1.2" in words
    assert "for 4 min" in words


def test_wrong_path_among_many_is_shown_and_the_others_on_demand() -> None:
    """Which of eight addresses is the dead one must not take a click."""
    ways = [path(label, number=number) for number, label in enumerate(nodes(3), 1)]
    ways[1] = path(nodes(3)[1], number=2, verdict=Verdict.DEAD_PROXY, detail="refused", far=False)
    text = render_fragment(report(row("clustercfg", Verdict.DEAD_PROXY, paths=ways)), NOW)
    before, _, hidden = text.partition("<details>")

    assert "6 proxies, 5 ok" in hidden
    assert "10.20.3.4" in before
    assert "refused" in before
    assert "10.20.2.4" in hidden


def test_path_of_another_verdict_says_so() -> None:
    ways = [
        path("demo-0001-001", number=1, verdict=Verdict.DEAD_PROXY, detail="refused"),
        path("demo-0001-001", number=2, verdict=Verdict.NO_PERMISSION, detail="LOADING"),
    ]
    words = shown(report(row("demo-0001-001", Verdict.DEAD_PROXY, paths=ways))).words

    assert "no_permission: LOADING" in words


def test_nobody_is_blamed_for_tasks_that_nobody_knew() -> None:
    """A laptop without AWS knows addresses only."""
    bare = row("demo-0001-001", paths=[replace(path("demo-0001-001"), proxy=None)])
    known = report(bare, row("demo-0001-002"))

    assert "no task of ours" not in shown(report(bare)).words
    assert "no task of ours" in shown(known).words


def test_hostile_words_stay_words() -> None:
    """Details come from whoever answers, names from DNS, notes from errors."""
    proxy = Proxy(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    way = Path(HOSTILE, proxy, Verdict.NODE_DOWN, Phase.CONNECT, HOSTILE)
    bad = replace(
        row("demo-0001-001", Verdict.DEAD_PROXY, detail=HOSTILE, paths=[way]),
        name=f"{HOSTILE}.zone",
        role=HOSTILE,
        shard=HOSTILE,
        node_id=HOSTILE,
        since=HOSTILE,
    )
    told = replace(
        report(bad, notes=(HOSTILE,)),
        cluster=HOSTILE,
        zone=HOSTILE,
        client=HOSTILE,
        at=HOSTILE,
        depth=HOSTILE,
    )
    text = render_page(told, NOW)

    assert "<img" not in text
    assert "\u202e" not in text
    assert "\x00" not in text
    found = Page(text)
    assert not [name for _, attributes in found.found for name in attributes if name[:2] == "on"]
    assert HOSTILE[:28] in found.words


def test_five_hundred_nodes_stay_small_in_the_worst_night() -> None:
    """Every name broken, each with two addresses and a talkative error."""
    labels = nodes(250)
    words = "<é>" * 400
    rows = [
        row(
            label,
            Verdict.ZONE_NOT_SEEN,
            detail=words,
            paths=[
                path(label, number=n, verdict=Verdict.ZONE_NOT_SEEN, detail=words, far=False)
                for n in (1, 2)
            ],
        )
        for label in labels
    ]
    good = render_fragment(report(endpoint(*labels[:8]), *map(row, labels)), NOW)
    bad = render_fragment(report(*rows, notes=(words,) * 50), NOW)

    assert len(good.encode()) < 500_000
    assert len(Page(good).rows) == 501
    assert len(bad.encode()) < MAX_BYTES
    assert "more names, none of them worse" in bad
    assert len(Page(bad).rows) > 200
