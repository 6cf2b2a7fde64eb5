"""docs/clients.md is what was seen of the clients as they are pinned, with the very snippets that were run."""

import json
import re
from pathlib import Path

import pytest

from lab.conformance.report import page, report
from lab.conformance.suite import manifest as clients
from lab.conformance.suite import modes as ways
from lab.conformance.suite.features import ANY, BEHAVIOURS
from lab.conformance.suite.manifest import HOME, Client
from lab.conformance.suite.verdicts import Cell, Outcome
from lab.errors import LabError

CLIENTS = clients.found()
NAMES = [client.name for client in CLIENTS]
WAYS = {way.name for way in ways.WAYS}
FIGURES = json.loads(page.FIGURES.read_text())
LOCKS = {
    "glide-node": ("node/package.json", r'"@valkey/valkey-glide": "(\S+)"'),
    "glide-python": ("python/requirements.txt", r"^valkey-glide-sync==(\S+)"),
    "go-redis": ("go/go-redis/go.mod", r"github\.com/redis/go-redis/v9 v(\S+)"),
    "ioredis": ("node/package.json", r'"ioredis": "(\S+)"'),
    "iovalkey": ("node/package.json", r'"iovalkey": "(\S+)"'),
    "jedis": ("java/pom.xml", r"<artifactId>jedis</artifactId>\s*<version>(\S+)</version>"),
    "lettuce": (
        "java/pom.xml",
        r"<artifactId>lettuce-core</artifactId>\s*<version>(\S+)</version>",
    ),
    "node-redis": ("node/package.json", r'"redis": "(\S+)"'),
    "redis-py": ("python/requirements.txt", r"^redis==(\S+)"),
    "redis-rs": ("rust/redis-rs/Cargo.toml", r'redis = { version = "=(\S+)"'),
    "redisson": ("java/pom.xml", r"<artifactId>redisson</artifactId>\s*<version>(\S+)</version>"),
    "rueidis": ("go/rueidis/go.mod", r"github\.com/redis/rueidis v(\S+)"),
    "valkey-py": ("python/requirements.txt", r"^valkey==(\S+)"),
}
"""Where each client's version is pinned."""
OF_DEBIAN = {"phpredis", "redis-cli"}
"""No lock can pin these: they are the machine's own, else those of Debian 12's packages, whose versions stand there."""


def named(name: str) -> Client:
    return next(client for client in CLIENTS if client.name == name)


@pytest.mark.parametrize("name", sorted(set(NAMES) - OF_DEBIAN))
def test_the_version_is_the_one_that_is_installed(name: str) -> None:
    file, pattern = LOCKS[name]
    pinned = re.search(pattern, (HOME / file).read_text(), re.MULTILINE)

    assert pinned is not None
    assert named(name).version == pinned[1]


@pytest.mark.parametrize("name", NAMES)
def test_each_way_has_a_snippet_or_is_expected_to_fail(name: str) -> None:
    client = named(name)

    assert client.snippets.keys() == WAYS
    for way, snippet in client.snippets.items():
        if snippet is None:
            assert ANY in client.expected[way], way
        else:
            assert (client.directory / snippet).is_file()
            assert (client.directory / snippet).suffix in page.FENCES


@pytest.mark.parametrize("name", NAMES)
def test_only_known_ways_and_behaviours_are_spoken_of(name: str) -> None:
    client = named(name)

    assert client.options.keys() | client.expected.keys() <= WAYS
    for expected in client.expected.values():
        assert expected.keys() <= {ANY, *BEHAVIOURS}
        assert all(one.match for one in expected.values() if one), "a match that all details have"


def test_the_page_says_what_the_report_and_the_snippets_say() -> None:
    assert page.PAGE.read_text() == page.written(FIGURES), (
        "run: python -m lab.conformance.report.page --again"
    )


def test_the_report_is_judged_by_what_is_expected_now() -> None:
    assert report.again(FIGURES, CLIENTS) == FIGURES, (
        "run: python -m lab.conformance.report.page --again"
    )


def test_the_report_is_of_all_clients_as_they_are_pinned_in_all_ways() -> None:
    assert page.checked(FIGURES) == FIGURES
    assert FIGURES["clients"] == {client.name: client.version for client in CLIENTS}


def test_a_report_of_a_part_or_with_a_wrong_cell_is_no_page() -> None:
    with pytest.raises(LabError, match="all clients in all ways"):
        page.checked(FIGURES | {"cells": FIGURES["cells"][1:]})
    first = FIGURES["cells"][0] | {"outcome": str(Outcome.FAILED)}
    with pytest.raises(LabError, match="1 cells are not as expected"):
        page.checked(FIGURES | {"cells": [first, *FIGURES["cells"][1:]]})


def test_each_client_of_the_matrix_leads_to_its_section() -> None:
    text = page.written(FIGURES)

    for client in CLIENTS:
        assert f"[{client.name}](#{page.anchor(client)})" in text
        assert f"\n## {page.title(client)}\n" in text


def test_a_text_of_several_ways_is_shown_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.go").write_text("package a\n")
    (tmp_path / "one" / "b.go").write_text("package a\n")
    monkeypatch.setattr(
        ways, "WAYS", [type("Way", (), {"name": name})() for name in ("x", "y", "z")]
    )
    client = Client(
        directory=tmp_path / "one",
        language="Go",
        version="1",
        run=(),
        snippets={"x": "a.go", "y": "b.go", "z": None},
    )

    assert list(page.by_snippet(client)) == [(["x", "y"], tmp_path / "one" / "a.go")]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (Cell(Outcome.PASS), "✓"),
        (Cell(Outcome.PASS_WITH_OPTION, reason="protocol=2"), "opt"),
        (Cell(Outcome.EXPECTED_FAIL, by="Envoy"), "**Envoy**"),
        (Cell(Outcome.NOT_RUN), "not run"),
    ],
)
def test_what_was_not_run_is_never_shown_as_a_pass(cell: Cell, shown: str) -> None:
    assert page.mark(cell) == shown


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert "a\\|b" in page.table(("one",), [("a|b",)])
