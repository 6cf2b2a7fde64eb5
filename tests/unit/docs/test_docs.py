"""What the documents say is what the code does: tables and output in them are compared with it, or written by it."""

import json
import re
from pathlib import Path

import pytest

from lab.layout import ROOT
from lab.scenarios import basics, deploy, resync
from lab.scenarios.scenario import Scenario
from nodeway.config.loader import OVERRIDES
from nodeway.config.model import EnvironmentConfig
from nodeway_runtime.functions.resync_journal import LogJournal
from nodeway_runtime.planner.guard import RULES, mass_delete_needs_approval
from nodeway_runtime.planner.reconcile import applying_executor, reconcile
from tests.support.fakes import NOW, ONE, fleet, marked, proxy, record, settings, topology, world

README = ROOT / "README.md"


def block(text: str, name: str) -> str:
    """The part of a document between two marks."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert found is not None, f"README.md has no block {name}"
    return found.group(1)


def agrees(name: str, wanted: str, *, update: bool) -> None:
    """The README's block is what the code says; with --update-golden it becomes so."""
    text = README.read_text()
    if update:
        mark = f"<!-- {name} -->\n"
        README.write_text(text.replace(mark + block(text, name), mark + wanted))
        return
    assert block(text, name) == wanted, (
        "run: .venv/bin/pytest tests/unit/docs/test_docs.py --update-golden"
    )


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether the documents are to be written."""
    return bool(request.config.getoption("--update-golden"))


@pytest.mark.parametrize(
    ("name", "suite"),
    [
        ("scenarios", basics.SUITE),
        ("resync-scenarios", resync.SUITE[1:]),
        ("deploy-scenarios", deploy.SUITE[1:]),
    ],
)
def test_readme_lists_the_suites(name: str, suite: tuple[Scenario, ...], *, update: bool) -> None:
    """Every scenario stands in the README with its own words."""
    rows = [f"| `{one.__name__}` | {first_paragraph(one)} |" for one in suite]
    table = "\n".join(["| scenario | what it shows |", "|---|---|", *rows])
    agrees(name, f"{table}\n", update=update)


def first_paragraph(scenario: Scenario) -> str:
    """A docstring's first paragraph in one line, without its full stop."""
    return " ".join(str(scenario.__doc__).split("\n\n")[0].split()).removesuffix(".")


def test_readme_shows_a_real_journal_line(
    *, update: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log line in the README is one that the journal wrote."""
    told = world(topology(ONE), fleet(proxy(ONE, "10.20.1.9")), *marked(record(ONE, "10.20.1.5")))
    journal = LogJournal(cluster="demo", request_id="r", trigger="aws.ecs")
    executor = applying_executor(told.ports, settings(), "test", NOW)
    reconcile(told.ports, settings(), journal, executor, NOW)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    line = next(one for one in lines if one.get("action") == "update" and one["type"] == "A")
    kept = {
        k: v
        for k, v in line.items()
        if k not in {"level", "location", "timestamp", "service", "request_id"}
    }
    text = json.dumps(kept, separators=(",", ":"))
    agrees("journal", f"```json\n{text}\n```\n", update=update)


def test_readme_names_every_rule_of_the_guard() -> None:
    """A rule that nobody can read about is a rule that nobody understands at night."""
    rules = [*RULES, mass_delete_needs_approval]
    missing = [rule.__name__ for rule in rules if f"`{rule.__name__}`" not in README.read_text()]

    assert missing == []


def test_readme_names_every_context_variable() -> None:
    """What `-c` takes is what the README says it takes."""
    told = set(re.findall(r"`-c \"?(\w+)=", README.read_text()))

    assert told == set(OVERRIDES)


def test_configuration_page_names_every_key() -> None:
    """Each key of an environment's block is explained."""
    text = Path(ROOT / "docs" / "configuration.md").read_text()
    missing = [
        key for key in EnvironmentConfig.model_fields if key != "name" and f"`{key}" not in text
    ]

    assert missing == []


def test_readme_names_the_make_targets_that_there_are() -> None:
    """Every `make …` in the README is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake (lab|test|check|synth|help|setup)\b", README.read_text()))

    assert named
    assert named <= targets
