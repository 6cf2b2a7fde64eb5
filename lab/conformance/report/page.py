"""`python -m lab.conformance.report.page`: writes the generated blocks of docs/clients.md, and docs/conformance.json.

They come from the report of the last run, or with `--again` from docs/conformance.json, and from the client.json files
and the snippets as they are now. A run with an unexpected cell, or of some clients or modes only, is refused.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab import layout
from lab.conformance.report import report
from lab.conformance.report.report import Cells, extract_facts, judge_facts
from lab.conformance.suite.behaviours import BEHAVIOURS
from lab.conformance.suite.manifest import Client, find_clients
from lab.conformance.suite.modes import ANCHORS, DESCRIPTIONS
from lab.conformance.suite.verdicts import Cell, Outcome
from lab.errors import LabError
from lab.report.page import format_json, replace_blocks
from lab.report.table import Table

PAGE = layout.ROOT / "docs" / "clients.md"
FACTS = PAGE.with_name("conformance.json")
LANGUAGES = {
    ".go": "go",
    ".java": "java",
    ".mjs": "js",
    ".php": "php",
    ".py": "python",
    ".rs": "rust",
    ".sh": "sh",
}
"""What a code block is called, by the suffix of the snippet."""


def check_cells(cells: Cells, clients: Sequence[Client]) -> None:
    """Raises LabError unless these are all clients' cells in all modes, each as expected."""
    if unexpected := report.find_unexpected(cells):
        first = ", ".join(unexpected[0])
        raise LabError(f"{len(unexpected)} cells are not as expected, the first: {first}")
    wanted = {(m.value, c.name, name) for m in DESCRIPTIONS for c in clients for name in BEHAVIOURS}
    if wanted != cells.keys():
        raise LabError(
            f"the page needs a run of all clients in all ways: {len(wanted)} cells, not {len(cells)}"
        )


def render_blocks(facts: Mapping[str, Any]) -> dict[str, str]:
    """The blocks of the page by their names."""
    clients = find_clients()
    cells = judge_facts(facts, clients)
    return {
        "matrices": "\n\n".join(_render_matrices(cells, clients)),
        "behaviours": _table(
            ("behaviour", "what passes"),
            [(one.title, one.meaning) for one in BEHAVIOURS.values()],
        ),
        "clients": "\n\n".join(part for one in clients for part in _render_client(one, cells)),
        "versions": ", ".join(f"{name} {v}" for name, v in sorted(facts["versions"].items())) + ".",
    }


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return Table(headings, rows, left=len(headings)).to_markdown()


def _render_matrices(cells: Cells, clients: Sequence[Client]) -> Iterator[str]:
    for mode, description in DESCRIPTIONS.items():
        if mode in ANCHORS:
            yield f'<a id="{ANCHORS[mode]}"></a>'
        yield f"## {mode}: {description}"
        labels = {one.name: f"[{one.name}](#{heading_anchor(one)})" for one in clients}
        yield matrix(cells, mode, labels).to_markdown()


def matrix(cells: Cells, mode: str, labels: Mapping[str, str]) -> Table:
    """The clients and behaviours of a mode; `labels`: what stands for each client."""
    headings = ("client", *(one.title for one in BEHAVIOURS.values()))
    rows = [
        (label, *(mark(cells[mode, name, behaviour]) for behaviour in BEHAVIOURS))
        for name, label in labels.items()
    ]
    return Table(headings, rows, left=len(headings), title=mode)


def mark(cell: Cell) -> str:
    """A cell of the matrix."""
    match cell.outcome:
        case Outcome.PASS:
            return "✓"
        case Outcome.PASS_WITH_OPTION:
            return "opt"
        case Outcome.EXPECTED_FAIL:
            return f"**{cell.by}**"
        case _:
            return str(cell.outcome)


def _render_client(client: Client, cells: Cells) -> Iterator[str]:
    yield f"## {heading(client)}"
    for snippet, by_option in group_by_snippet(client).items():
        title = "; ".join(
            f"**{' and '.join(modes)}**{f', with {option}' if option else ''}"
            for option, modes in by_option.items()
        )
        text = (client.directory / snippet).read_text().strip()
        yield f"{title}:\n\n```{LANGUAGES[Path(snippet).suffix]}\n{text}\n```"
    if client.settings:
        yield "\n".join(f"- {one}" for one in client.settings)
    yield from _render_fails(client, cells)


def heading(client: Client) -> str:
    """The heading of a client's section."""
    return f"{client.name} {client.version} ({client.language})"


def heading_anchor(client: Client) -> str:
    """The anchor that GitHub gives the heading."""
    letters = [one for one in heading(client).lower() if one.isalnum() or one in " -_"]
    return "".join(letters).replace(" ", "-")


def group_by_snippet(client: Client) -> dict[str, dict[str, list[str]]]:
    """The snippets of a client, each with its modes by the options that it has there."""
    groups: dict[str, dict[str, list[str]]] = {}
    for mode in DESCRIPTIONS:
        if snippet := client.snippet(mode):
            modes = groups.setdefault(str(snippet), {}).setdefault(client.option(mode), [])
            modes.append(mode.value)
    return groups


def _render_fails(client: Client, cells: Cells) -> Iterator[str]:
    """What does not work and why, each thing once; or why the client was not run."""
    own = {(mode, what): cell for (mode, name, what), cell in cells.items() if name == client.name}
    reasons = [cell.detail for cell in own.values() if cell.outcome is Outcome.NOT_RUN]
    if reasons:
        yield f"Not run: {reasons[0]}."
        return
    fails: dict[tuple[str, str], list[str]] = {}
    for (mode, what), cell in own.items():
        if cell.outcome is Outcome.EXPECTED_FAIL:
            text = f"{cell.reason.rstrip('.')} ({cell.by})"
            fails.setdefault((mode, text), []).append(BEHAVIOURS[what].title)
    rows: dict[tuple[str, str], list[str]] = {}
    for (mode, text), titles in fails.items():
        which = "everything" if len(titles) == len(BEHAVIOURS) else ", ".join(titles)
        rows.setdefault((which, text), []).append(mode)
    if rows:
        yield _table(
            ("way", "does not work", "because (whose limit)"),
            [(" and ".join(modes), which, text) for (which, text), modes in rows.items()],
        )


def main(words: Sequence[str]) -> int:
    """Writes the page and the facts; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.conformance.report.page")
    parser.add_argument(
        "--again",
        action="store_true",
        help="from docs/conformance.json, as the client.json files and the snippets are now",
    )
    again = parser.parse_args(words).again
    try:
        clients = find_clients()
        if again:
            facts = json.loads(FACTS.read_text())
        else:
            made = json.loads(report.REPORT.read_text())
            check_cells(report.read_cells(made), clients)
            facts = extract_facts(made)
        check_cells(judge_facts(facts, clients), clients)
        text = replace_blocks(PAGE.read_text(), render_blocks(facts))
    except FileNotFoundError:
        sys.stderr.write("conformance: no report: run make conformance\n")
        return 1
    except LabError as error:
        sys.stderr.write(f"conformance: {error}\n")
        return 1
    FACTS.write_text(format_json(facts) + "\n")
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
