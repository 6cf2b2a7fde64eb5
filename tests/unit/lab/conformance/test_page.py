"""docs/clients.md is what was seen of the clients as they are pinned, with the very snippets that were run."""

import json
import re
from pathlib import Path

import pytest

from lab.conformance.report import page
from lab.conformance.report.report import judge_facts
from lab.conformance.suite.behaviours import ANY, BEHAVIOURS
from lab.conformance.suite.manifest import ENVOY, HOME, Client, find_clients
from lab.conformance.suite.modes import DESCRIPTIONS
from lab.conformance.suite.verdicts import ENVOY_LIMITS, Cell, Outcome
from lab.errors import LabError
from lab.report.page import replace_blocks

CLIENTS = find_clients()
NAMES = [client.name for client in CLIENTS]
SCOPES = {*DESCRIPTIONS, ENVOY}
FACTS = json.loads(page.FACTS.read_text())
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
def test_each_mode_has_a_snippet_or_is_expected_to_fail(name: str) -> None:
    client = named(name)

    assert client.snippets.keys() == {"per-node", ENVOY}
    for mode in DESCRIPTIONS:
        snippet = client.snippet(mode)
        assert (snippet is None) == (client.expectation(mode, ANY) is not None)
        assert snippet is None or (snippet.is_file() and snippet.suffix in page.LANGUAGES)


@pytest.mark.parametrize("name", NAMES)
def test_only_known_modes_and_behaviours_are_spoken_of(name: str) -> None:
    client = named(name)

    assert client.options.keys() | client.expected.keys() <= SCOPES
    for scope, expected in client.expected.items():
        for behaviour, one in expected.items():
            assert behaviour in {ANY, *BEHAVIOURS}
            assert behaviour in ENVOY_LIMITS or not isinstance(one, str), scope
            re.compile(one if isinstance(one, str) else one.match)
            assert one if isinstance(one, str) else one.match, "a match that all details have"


def test_the_page_is_what_its_facts_and_the_snippets_give() -> None:
    text = page.PAGE.read_text()

    assert text == replace_blocks(text, page.render_blocks(FACTS)), (
        "run: python -m lab.conformance.report.page --again"
    )


def test_the_facts_are_of_all_clients_as_they_are_pinned_in_all_modes() -> None:
    page.check_cells(judge_facts(FACTS, CLIENTS), CLIENTS)
    assert FACTS["clients"] == {client.name: client.version for client in CLIENTS}


def test_a_run_of_a_part_or_with_a_wrong_cell_is_no_page() -> None:
    first, *others = (cells := judge_facts(FACTS, CLIENTS))

    with pytest.raises(LabError, match="all clients in all ways"):
        page.check_cells({key: cells[key] for key in others}, CLIENTS)
    with pytest.raises(LabError, match="1 cells are not as expected"):
        page.check_cells({**cells, first: Cell(Outcome.FAILED)}, CLIENTS)


def test_a_snippet_of_several_modes_is_shown_once_with_the_options_of_each() -> None:
    client = Client(
        directory=Path("one"),
        language="Go",
        version="1",
        run=(),
        snippets={"per-node": "a.go", ENVOY: "b.go"},
        options={"envoy-resp2": "RESP2"},
    )

    assert page.group_by_snippet(client) == {
        "one/a.go": {"": ["per-node", "shared"]},
        "one/b.go": {"RESP2": ["envoy-resp2"], "": ["envoy-resp3"]},
    }


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
