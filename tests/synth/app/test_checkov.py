"""checkov's CloudFormation checks over every template: nothing found that is not reasoned, and no idle reason."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.layout import ROOT
from tests.support.pages import envoy_page, shared_page
from tests.support.pages.networks_page import environments, offline
from tests.support.synth.shapes import built, shape
from tests.synth.conftest import Synthesis, Synthesise

CHECKOV = ROOT / "build" / "checkov"
CONFIG = ROOT / ".checkov.yaml"
LEFT_OUT = yaml.safe_load(CONFIG.read_text())["skip-check"]


@pytest.fixture(scope="module")
def everything(
    synthesise: Synthesise,
    dev: Synthesis,
    rich: Synthesis,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The templates of every fixture and of every documented environment, in one directory."""
    assert (CHECKOV / ".ready").exists(), (
        "checkov is not installed: `make check` does so before the tests"
    )
    directory = tmp_path_factory.mktemp("templates")
    syntheses = {"dev": dev, "rich": rich} | {name: shape(name) for name in environments()}
    syntheses["sandbox"] = synthesise(env="sandbox")
    for page in (envoy_page, shared_page):
        syntheses[page.PAGE.stem] = built(offline(page.environment()))
    for name, synthesis in syntheses.items():
        for stack, template in synthesis.templates.items():
            (directory / f"{name}-{stack}.template.json").write_text(json.dumps(template, indent=1))
    return directory


def findings(directory: Path, config: Path) -> set[tuple[str, str]]:
    """The ids of the checks that failed, each with the resource that it failed for."""
    done = subprocess.run(
        [
            CHECKOV / "bin" / "python",
            "-m",
            "checkov.main",
            "--directory",
            ".",
            "--config-file",
            config,
            "--output",
            "json",
        ],
        cwd=directory,
        # no proxy, no key of a checkov account, no home with a configuration
        env={"PATH": "/usr/bin:/bin", "HOME": str(directory)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0
    failed = report["results"]["failed_checks"]
    return {(one["check_id"], f"{one['file_path']} {one['resource']}") for one in failed}


def test_checkov_finds_nothing_that_is_not_reasoned(everything: Path) -> None:
    assert findings(everything, CONFIG) == set()


def test_every_check_that_is_left_out_would_find_something(
    everything: Path, tmp_path: Path
) -> None:
    """A reason outlives what it is about unless somebody looks; and the checks do find things."""
    without = yaml.safe_load(CONFIG.read_text())
    del without["skip-check"]
    config = tmp_path / "all.yaml"
    config.write_text(yaml.safe_dump(without))

    assert {check for check, _ in findings(everything, config)} == set(LEFT_OUT)


def test_every_check_that_is_left_out_has_a_reason() -> None:
    """The line above each id is a comment."""
    lines = [line.strip() for line in CONFIG.read_text().splitlines()]

    for check in LEFT_OUT:
        assert lines[lines.index(f"- {check}") - 1].startswith("# "), check
