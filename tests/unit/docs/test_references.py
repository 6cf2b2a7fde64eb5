"""Links, paths and commands on every page of the documentation exist."""

import re
from pathlib import Path

import pytest
import typer.main

from lab.layout import ROOT
from nodeway.cli.main import app
from tests.support.pages.documents import DOCS, README, anchors, prose

PAGES = pytest.mark.parametrize("page", [README, *sorted(DOCS.glob("*.md"))], ids=lambda p: p.name)
PATH = re.compile(
    r"(docs|examples|haproxy_templates|lab|lambda|stacks|tests|tools)/[\w./*-]+"
    r"|[\w*][\w.*-]*/([\w.*-]+/)*([\w.*-]+\.(cfg|html|j2|js|json|md|png|py|sh|svg|toml|txt|ya?ml))?"
)
"""What is in a directory of the repository, any file with a directory, and any directory with a slash at its end."""
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
MADE = ("build/", "cdk.out/", ".venv/", "node_modules/")
"""Directories that a command makes."""


@PAGES
def test_links_lead_to_files_and_sections(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text())):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), target


@PAGES
def test_paths_in_code_exist(page: Path) -> None:
    """Of files and directories of the repository; `*`, or a word in capitals, stands for any name."""
    words = {word for text in code_of(page) for word in re.split(r"[\s`'\"()=,;]+", text)}
    paths = {word for word in words if PATH.fullmatch(word) and not word.startswith(MADE)}
    missing = [
        path
        for path in paths
        if not any(ROOT.glob(re.sub(r"(?<=/)[A-Z]+(?=/|$)", "*", path).rstrip("/")))
    ]

    assert missing == []


@PAGES
def test_make_targets_exist(page: Path) -> None:
    named = {one for text in code_of(page) for one in re.findall(r"\bmake ([a-z][a-z-]*)", text)}

    assert named - TARGETS == set()


@PAGES
def test_commands_of_nodeway_exist(page: Path) -> None:
    """With the options that they take; what follows `--` is a program's own."""
    for command in re.findall(
        r"(?:^|`|bin/|\$ )nodeway ([a-z-][^`#\n]*)", "\n".join(code_of(page)), re.MULTILINE
    ):
        known, words = typer.main.get_command(app), command.partition(" -- ")[0].split()
        while words and words[0] in (commands := getattr(known, "commands", {})):
            known = commands[words.pop(0)]
        options = {option for one in known.params for option in one.opts}

        assert not getattr(known, "commands", {}) or words in ([], ["--version"]), command
        assert {one for one in words if one.startswith("--")} <= options, command


def code_of(page: Path) -> list[str]:
    """Code blocks, and code within sentences."""
    return re.findall(r"```\w*\n.*?```|`[^`\n]+`", page.read_text(), re.DOTALL)
