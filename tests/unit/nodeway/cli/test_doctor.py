"""`nodeway doctor`: what it walks, what it prints, and one clear line for whatever it cannot do."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nodeway.cli.doctor import EXIT, NOT_KNOWN, print_report
from nodeway.errors import CommandError
from nodeway_runtime.paths.report import Report, from_document, to_document
from nodeway_runtime.paths.verdicts import MEANINGS, State, Verdict
from nodeway_runtime.probe.walker import Login
from tests.support.fakes import (
    ONE,
    TWO,
    ZONE,
    named,
)
from tests.support.probing import SECRET
from tests.support.reports import report, row
from tests.support.terminal import Terminal, cloud, settled_world

USER = Login("probe", SECRET)
NOBODY = "clustercfg.demo.invalid"
"""A name that nobody may have."""
BAD = report(
    row("demo-0001-001"),
    row("demo-0001-002", Verdict.DEAD_PROXY, detail="10.20.1.5: Connection refused"),
)


@pytest.fixture(autouse=True)
def _nobody_s_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the developer's own shell has."""
    monkeypatch.delenv("NODEWAY_PASSWORD", raising=False)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Verdict.OK, 0), (Verdict.NO_PERMISSION, 3), (Verdict.NODE_DOWN, 4)],
)
def test_exit_code_is_the_worst_result(verdict: Verdict, code: int) -> None:
    """1 and 2 are those of a command that could not do its work."""
    assert print_report(report(row(ONE), row(TWO, verdict)), as_json=False, html=None) == code
    assert set(EXIT) == set(State)


def test_nothing_that_could_be_walked_is_not_all_in_order() -> None:
    assert print_report(replace(report(), rows=()), as_json=False, html=None) == 3


def test_name_that_nobody_has_is_broken(nodeway: Terminal) -> None:
    """The whole command, over this host's own resolver."""
    said = nodeway(None, "doctor", "--endpoint", f"{NOBODY}:6380", "--json")

    found = from_document(said.json)
    assert said.code == 4
    assert said.json == json.loads(json.dumps(to_document(found)))
    assert [one.name for one in found.rows] == [NOBODY]
    assert found.rows[0].verdict in {Verdict.NAME_NOT_FOUND, Verdict.RESOLVER_SILENT}
    assert (found.zone, found.port, found.depth) == ("demo.invalid", 6380, "answer")
    assert NOT_KNOWN in found.notes


def refused(nodeway: Terminal, *words: str) -> str:
    """The one line of a command that did nothing."""
    said = nodeway(cloud(settled_world()), "doctor", *words)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    return said.err


ENDED = ("--endpoint", NOBODY)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "give --endpoint HOST:PORT, or --env NAME for what is deployed"),
        ((*ENDED, "--env", "dev"), "give --endpoint HOST:PORT, or --env NAME for what is deployed"),
        (("--endpoint", f"{NOBODY}:0"), f"--endpoint: got '{NOBODY}:0'; allowed: HOST or HOST:PORT"),
        (("--endpoint", f"{NOBODY}:65536"), "allowed: HOST or HOST:PORT"),
        (("--endpoint", f"{NOBODY}:"), "allowed: HOST or HOST:PORT"),
        (("--endpoint", f"rediss://{NOBODY}:6379"), "allowed: HOST or HOST:PORT"),
        (("--endpoint", "clustercfg"), "--endpoint: got 'clustercfg'; allowed: a whole name, with its zone"),
        (("--endpoint", "a b.zone"), "--endpoint: not a host name: got 'a b.zone'"),
        (("--endpoint", ""), "--endpoint: not a host name: got ''"),
        (("--endpoint", "10.20.1.5:6379"), "--endpoint: got '10.20.1.5'; allowed: a name"),
        ((*ENDED, "--node", "a.elsewhere.example"), "--node: a.elsewhere.example is not in demo.invalid"),
        ((*ENDED, "--node", "a b"), "--node: not a host name: got 'a b'"),
        ((*ENDED, "--cluster", "demo"), "--cluster goes with --env"),
        ((*ENDED, "--username", "probe"), "--username probe needs its password in NODEWAY_PASSWORD"),
        ((*ENDED, "--ca", "nowhere.pem"), "--ca nowhere.pem: No such file or directory; give a PEM file"),
        ((*ENDED, "--ca", "cdk.json"), "--ca cdk.json: it holds no certificate; give a PEM file"),
        ((*ENDED, "--html", "nowhere/map.html"), "--html nowhere/map.html: No such file or directory"),
        ((*ENDED, "--html", "."), "--html .: is a directory; give a file"),
        (("--env", ""), "unknown environment: got ''"),
        (("--env", "prd"), "unknown environment: got 'prd'"),
        (("--env", "dev", "--cluster", "carts"), "--cluster: got 'carts'; allowed: demo"),
        (("--env", "dev", "--node", str(named(ONE))), "--node goes with --endpoint"),
    ],
)  # fmt: skip
def test_each_wrong_word_has_its_one_line(
    nodeway: Terminal, words: tuple[str, ...], line: str
) -> None:
    """What, got, allowed."""
    assert line in refused(nodeway, *words)


def test_password_without_a_user_is_nobody_s(
    nodeway: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is not shown."""
    monkeypatch.setenv("NODEWAY_PASSWORD", SECRET)

    line = refused(nodeway, *ENDED)

    assert "NODEWAY_PASSWORD is set, but no --username is given: whose is it?" in line
    assert SECRET not in line


@pytest.mark.parametrize("more", [(), ("--json",), ("--html", "map.html")])
def test_password_is_in_nothing_that_is_printed_or_written(
    nodeway: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    empty_directory: Path,
    more: tuple[str, ...],
) -> None:
    """It comes by the environment: an argument is read by every process of the host."""
    monkeypatch.setenv("NODEWAY_PASSWORD", SECRET)

    said = nodeway(None, "doctor", *ENDED, "--username", "probe", *more)

    written = "".join(one.read_text() for one in empty_directory.iterdir() if one.is_file())
    assert said.code == 4
    assert SECRET not in said.out + said.err + written
    assert "no --username" not in said.out


def test_there_is_no_option_for_a_password(nodeway: Terminal) -> None:
    help_ = nodeway(None, "doctor", "--help").out

    assert "--password" not in help_
    assert "NODEWAY_PASSWORD" in help_


def printed(one: Report, capsys: pytest.CaptureFixture[str], **how: Any) -> str:  # noqa: ANN401 (flags)
    """What a person or a machine gets to see."""
    print_report(one, **{"as_json": False, "html": None, **how})
    return capsys.readouterr().out


def test_json_is_the_report_of_the_deployed_probe(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(BAD, capsys, as_json=True)) == json.loads(
        json.dumps(to_document(BAD))
    )


def test_table_is_readable_in_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer first, the worst name next, each cause once with what to do; nothing is cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    lines = printed(BAD, capsys).splitlines()

    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"✗ broken: 1 of 2 names of {ZONE}"[:60])
    text = " ".join(" ".join(lines).split())
    meaning = MEANINGS[Verdict.DEAD_PROXY]
    assert text.index("demo-0001-002") < text.index("demo-0001-001")
    assert f"dead_proxy: {meaning.what}" in text
    assert f"next: {meaning.next}" in text
    assert "10.20.1.5: Connection refused" in text
    assert "…" not in text


@pytest.mark.parametrize(("without", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals_that_want_them(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    without: str,
    *,
    coloured: bool,
) -> None:
    """NO_COLOR is honoured (https://no-color.org), and each state has a sign that is no colour."""
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "NO_COLOR": without}.items():
        monkeypatch.setenv(name, value)

    out = printed(BAD, capsys)

    assert ("\x1b[1;31m" in out) is coloured
    assert "✗ broken" in out


def test_words_of_a_node_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """A node can name itself `[/red]`."""
    one = row("demo-0001-001", Verdict.WRONG_PASSWORD, detail="[/red] [bold]x[/bold] [link=x]")

    assert "[/red] [bold]x[/bold]" in printed(report(one), capsys)


def test_html_is_written_whole(empty_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over an older one, and beside the table."""
    target = empty_directory / "map.html"
    target.write_text("old")

    out = printed(BAD, capsys, html=target)

    text = target.read_text()
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>")
    assert [one.name for one in empty_directory.iterdir()] == ["map.html"]
    assert "broken" in out


def test_html_that_cannot_be_written_leaves_nothing_behind(empty_directory: Path) -> None:
    target = empty_directory / "map.html"
    target.mkdir()

    with pytest.raises(CommandError, match="Is a directory"):
        print_report(BAD, as_json=False, html=target)

    assert list(empty_directory.iterdir()) == [target]
    assert list(target.iterdir()) == []
