"""README.md says what the code does: its tables and output are compared with the code, or written by it."""

import json
import re

import pytest

from lab.scenarios import basics, deploy, resync
from lab.scenarios.scenario import Scenario
from nodeway.config.loader import OVERRIDES
from nodeway_runtime.functions.resync_journal import LogJournal
from nodeway_runtime.planner.guard import RULES, mass_delete_needs_approval
from nodeway_runtime.planner.reconcile import applying_executor, reconcile
from tests.support.fakes import NOW, ONE, fleet, marked, proxy, record, settings, topology, world
from tests.support.pages.documents import README, CheckBlock, scenario_table


@pytest.mark.parametrize(
    ("name", "scenarios"),
    [
        ("scenarios", basics.SUITE),
        ("resync-scenarios", resync.SUITE[1:]),
        ("deploy-scenarios", deploy.SUITE[1:]),
    ],
)
def test_page_lists_the_scenarios(
    name: str, scenarios: tuple[Scenario, ...], agrees: CheckBlock
) -> None:
    agrees(README, name, scenario_table(scenarios))


def test_readme_shows_a_real_journal_line(
    agrees: CheckBlock, capsys: pytest.CaptureFixture[str]
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
    agrees(README, "journal", f"```json\n{text}\n```\n")


def test_readme_names_every_rule_of_the_guard() -> None:
    """A rule that nobody can read about is a rule that nobody understands at night."""
    rules = [*RULES, mass_delete_needs_approval]
    missing = [rule.__name__ for rule in rules if f"`{rule.__name__}`" not in README.read_text()]

    assert missing == []


def test_readme_names_every_context_variable() -> None:
    """What `-c` takes is what the README says it takes."""
    told = set(re.findall(r"`-c \"?(\w+)=", README.read_text()))

    assert told == set(OVERRIDES)
