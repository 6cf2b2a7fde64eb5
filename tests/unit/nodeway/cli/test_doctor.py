"""`nodeway doctor`: its report, its exit codes and its one-line errors."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nodeway.cli.doctor import EXIT, NOT_KNOWN, print_report
from nodeway.errors import CommandError
from nodeway_runtime.paths.report import Report, from_document, to_document
from nodeway_runtime.paths.verdicts import MEANINGS, State, Verdict
from tests.support.fakes import ONE, TWO, ZONE, named
from tests.support.probing import SECRET
from tests.support.reports import report, row
from tests.support.terminal import Terminal, cloud, settled_world

UNKNOWN = "clustercfg.demo.invalid"
"""A name that cannot exist (RFC 6761)."""
BAD = report(
    row("demo-0001-001"),
    row("demo-0001-002", Verdict.DEAD_PROXY, detail="10.20.1.5: Connection refused"),
)


@pytest.fixture(autouse=True)
def _no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the variable of the developer's shell."""
    monkeypatch.delenv("NODEWAY_PASSWORD", raising=False)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Verdict.OK, 0), (Verdict.NO_PERMISSION, 3), (Verdict.NODE_DOWN, 4)],
)
def test_exit_code_is_that_of_the_worst_state(verdict: Verdict, code: int) -> None:
    assert print_report(report(row(ONE), row(TWO, verdict)), as_json=False, html=None) == code
    assert set(EXIT) == set(State)


def test_report_without_names_is_degraded() -> None:
    assert print_report(replace(report(), rows=()), as_json=False, html=None) == 3


def test_unknown_name_is_broken(nodeway: Terminal) -> None:
    """The whole command, with this host's resolver."""
    said = nodeway(None, "doctor", "--endpoint", f"{UNKNOWN}:6380", "--json")

    result = from_document(said.json)
    assert said.code == 4
    assert said.json == json.loads(json.dumps(to_document(result)))
    assert [row.name for row in result.rows] == [UNKNOWN]
    assert result.rows[0].verdict in {Verdict.NAME_NOT_FOUND, Verdict.RESOLVER_SILENT}
    assert (result.zone, result.port, result.depth) == ("demo.invalid", 6380, "answer")
    assert NOT_KNOWN in result.notes


def error_line(nodeway: Terminal, *words: str) -> str:
    """The one line of a command that fails."""
    said = nodeway(cloud(settled_world()), "doctor", *words)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    return said.err


ENDPOINT = ("--endpoint", UNKNOWN)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "give --endpoint HOST:PORT, or --env NAME of a deployed environment"),
        ((*ENDPOINT, "--env", "dev"), "give --endpoint HOST:PORT, or --env NAME of a deployed environment"),
        (("--endpoint", f"{UNKNOWN}:0"), f"--endpoint: got '{UNKNOWN}:0'; allowed: HOST or HOST:PORT"),
        (("--endpoint", f"{UNKNOWN}:65536"), "allowed: HOST or HOST:PORT"),
        (("--endpoint", f"{UNKNOWN}:"), "allowed: HOST or HOST:PORT"),
        (("--endpoint", f"rediss://{UNKNOWN}:6379"), "allowed: HOST or HOST:PORT"),
        (("--endpoint", "clustercfg"), "--endpoint: got 'clustercfg'; allowed: a fully qualified name, with its zone"),
        (("--endpoint", "a b.zone"), "--endpoint: not a host name: got 'a b.zone'"),
        (("--endpoint", ""), "--endpoint: not a host name: got ''"),
        (("--endpoint", "10.20.1.5:6379"), "--endpoint: got '10.20.1.5'; allowed: a host name"),
        ((*ENDPOINT, "--node", "a.elsewhere.example"), "--node: a.elsewhere.example is not in demo.invalid"),
        ((*ENDPOINT, "--cluster", "demo"), "--cluster is for --env"),
        ((*ENDPOINT, "--username", "probe"), "--username probe needs its password in NODEWAY_PASSWORD"),
        ((*ENDPOINT, "--ca", "nowhere.pem"), "--ca nowhere.pem: No such file or directory; give a PEM file"),
        ((*ENDPOINT, "--ca", "cdk.json"), "--ca cdk.json: it has no certificate; give a PEM file"),
        ((*ENDPOINT, "--html", "nowhere/map.html"), "--html nowhere/map.html: No such file or directory"),
        ((*ENDPOINT, "--html", "."), "--html .: is a directory; give a file"),
        (("--env", ""), "unknown environment: got ''"),
        (("--env", "dev", "--cluster", "carts"), "--cluster: got 'carts'; allowed: demo"),
        (("--env", "dev", "--node", str(named(ONE))), "--node is for --endpoint"),
    ],
)  # fmt: skip
def test_invalid_argument_is_one_line(nodeway: Terminal, words: tuple[str, ...], line: str) -> None:
    assert line in error_line(nodeway, *words)


def test_password_without_a_user_is_an_error_that_does_not_show_it(
    nodeway: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEWAY_PASSWORD", SECRET)

    line = error_line(nodeway, *ENDPOINT)

    assert "NODEWAY_PASSWORD is set, but no --username is given" in line
    assert SECRET not in line


@pytest.mark.parametrize("more", [(), ("--json",), ("--html", "map.html")])
def test_password_is_not_printed_or_written(
    nodeway: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    empty_directory: Path,
    more: tuple[str, ...],
) -> None:
    monkeypatch.setenv("NODEWAY_PASSWORD", SECRET)

    said = nodeway(None, "doctor", *ENDPOINT, "--username", "probe", *more)

    written = "".join(file.read_text() for file in empty_directory.iterdir() if file.is_file())
    assert said.code == 4
    assert SECRET not in said.out + said.err + written
    assert "no --username" not in said.out


def test_there_is_no_option_for_a_password(nodeway: Terminal) -> None:
    help_ = nodeway(None, "doctor", "--help").out

    assert "--password" not in help_
    assert "NODEWAY_PASSWORD" in help_


def output(report: Report, capsys: pytest.CaptureFixture[str], **options: Any) -> str:  # noqa: ANN401 (flags)
    """The output report."""
    print_report(report, **{"as_json": False, "html": None, **options})
    return capsys.readouterr().out


def test_json_is_the_report_of_the_deployed_probe(capsys: pytest.CaptureFixture[str]) -> None:
    assert output(BAD, capsys, as_json=True) == json.dumps(to_document(BAD), indent=2) + "\n"


def test_table_fits_eighty_columns_with_the_worst_name_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result first, and each cause once with its remedy; nothing is cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    lines = output(BAD, capsys).splitlines()

    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"✗ broken: 1 of 2 names of {ZONE}"[:60])
    text = " ".join(" ".join(lines).split())
    meaning = MEANINGS[Verdict.DEAD_PROXY]
    assert text.index("demo-0001-002") < text.index("demo-0001-001")
    assert f"dead_proxy: {meaning.what}" in text
    assert f"next: {meaning.next}" in text
    assert "10.20.1.5: Connection refused" in text
    assert "…" not in text


def test_text_of_a_node_is_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    one = row("demo-0001-001", Verdict.WRONG_PASSWORD, detail="[/red] [bold]x[/bold] [link=x]")

    assert "[/red] [bold]x[/bold]" in output(report(one), capsys)


def test_html_replaces_an_older_file(
    empty_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = empty_directory / "map.html"
    target.write_text("old")

    out = output(BAD, capsys, html=target)

    text = target.read_text()
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>")
    assert [file.name for file in empty_directory.iterdir()] == ["map.html"]
    assert "broken" in out


def test_html_that_cannot_be_written_leaves_nothing_behind(empty_directory: Path) -> None:
    target = empty_directory / "map.html"
    target.mkdir()

    with pytest.raises(CommandError, match="Is a directory"):
        print_report(BAD, as_json=False, html=target)

    assert list(empty_directory.iterdir()) == [target]
    assert list(target.iterdir()) == []
