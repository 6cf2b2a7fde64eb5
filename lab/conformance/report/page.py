"""`python -m lab.conformance.report.page`: writes docs/clients.md from a report, the client.json files and the
snippets.

It must never write a run with a cell that is not as expected, or one of some clients or ways only.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab import layout
from lab.conformance.report import report
from lab.conformance.report.page_page_text import BEHAVIOURS as ASKED
from lab.conformance.report.page_page_text import HEAD, MARKS, REPEAT
from lab.conformance.report.report import Cells
from lab.conformance.suite import manifest as clients
from lab.conformance.suite import modes as ways
from lab.conformance.suite.features import BEHAVIOURS, MEANINGS, TITLES
from lab.conformance.suite.manifest import Client
from lab.conformance.suite.verdicts import Cell, Outcome
from lab.errors import LabError

PAGE = layout.ROOT / "docs" / "clients.md"
FIGURES = PAGE.with_name("conformance.json")
FENCES = {
    ".go": "go",
    ".java": "java",
    ".js": "js",
    ".mjs": "js",
    ".php": "php",
    ".py": "python",
    ".rs": "rust",
    ".sh": "sh",
    ".ts": "ts",
}

Report = Mapping[str, Any]


def checked(made: dict[str, Any]) -> dict[str, Any]:
    """The report, if the page may be written from it; raises LabError."""
    cells = report.read(made)
    if wrong := report.wrong(cells):
        way, client, behaviour = wrong[0]
        msg = f"{len(wrong)} cells are not as expected, the first: {way}, {client}, {behaviour}"
        raise LabError(msg)
    wanted = {
        (way.name, client.name, behaviour)
        for way in ways.WAYS
        for client in clients.found()
        for behaviour in BEHAVIOURS
    }
    if wanted != cells.keys():
        msg = f"the page needs a run of all clients in all ways: {len(wanted)} cells, not {len(cells)}"
        raise LabError(msg)
    return made


def written(made: Report) -> str:
    """The page."""
    cells = report.read(made)
    known = [client for client in clients.found() if client.name in made["clients"]]
    parts = [HEAD, *_matrices(cells, known), MARKS, ASKED, _asked()]
    for client in known:
        parts += _client(client, cells)
    parts += [REPEAT, *_versions(made)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _matrices(cells: Cells, known: Sequence[Client]) -> Iterator[str]:
    for way in ways.WAYS:
        if not any(name == way.name for name, _, _ in cells):
            continue
        if way.output:
            # what a deployment's output ClientSettings points to
            yield f'<a id="{way.output}"></a>'
        yield f"## {way.name}: {way.what}"
        yield table(
            ("client", *TITLES.values()),
            [
                (
                    f"[{client.name}](#{anchor(client)})",
                    *(mark(cells[way.name, client.name, behaviour]) for behaviour in BEHAVIOURS),
                )
                for client in known
            ],
        )


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


def _asked() -> str:
    rows = [(TITLES[behaviour], MEANINGS[behaviour]) for behaviour in BEHAVIOURS]
    return table(("behaviour", "what passes"), rows)


def _client(client: Client, cells: Cells) -> Iterator[str]:
    yield f"## {title(client)}"
    for names, snippet in by_snippet(client):
        yield f"**{' and '.join(names)}**{_options(client, names)}:"
        yield f"```{FENCES.get(snippet.suffix, '')}\n{snippet.read_text().strip()}\n```"
    if client.settings:
        yield "\n".join(f"- {one}" for one in client.settings)
    yield from _fails(client, cells)


def title(client: Client) -> str:
    """The heading of a client's section."""
    return f"{client.name} {client.version} ({client.language})"


def anchor(client: Client) -> str:
    """Where the heading is, as GitHub makes it."""
    kept = [letter for letter in title(client).lower() if letter.isalnum() or letter in " -_"]
    return "".join(kept).replace(" ", "-")


def by_snippet(client: Client) -> Iterator[tuple[list[str], Path]]:
    """The ways of each snippet's text, in the ways' order, each text once."""
    texts: dict[str, tuple[list[str], Path]] = {}
    for way in ways.WAYS:
        name = client.snippets.get(way.name)
        if name:
            path = client.directory / name
            texts.setdefault(path.read_text(), ([], path))[0].append(way.name)
    yield from texts.values()


def _options(client: Client, names: Sequence[str]) -> str:
    options = dict.fromkeys(client.options[name] for name in names if name in client.options)
    return f", with {'; '.join(options)}" if options else ""


def _fails(client: Client, cells: Cells) -> Iterator[str]:
    """What does not work and why, each thing once; or why the client was not run."""
    own = {(way, what): cell for (way, name, what), cell in cells.items() if name == client.name}
    if reason := next((c.detail for c in own.values() if c.outcome is Outcome.NOT_RUN), ""):
        yield f"Not run: {reason}."
        return
    said: dict[tuple[str, str], list[str]] = {}
    for (way, what), cell in own.items():
        if cell.outcome is Outcome.EXPECTED_FAIL:
            text = f"{cell.reason.rstrip('.')} ({cell.by})"
            said.setdefault((way, text), []).append(TITLES[what])
    rows: dict[tuple[str, str], list[str]] = {}
    for (way, text), failed in said.items():
        which = "everything" if len(failed) == len(BEHAVIOURS) else ", ".join(failed)
        rows.setdefault((which, text), []).append(way)
    if rows:
        yield table(
            ("way", "does not work", "because (whose limit)"),
            [(" and ".join(by), which, text) for (which, text), by in rows.items()],
        )


def _versions(made: Report) -> Iterator[str]:
    told = ", ".join(f"{name} {version}" for name, version in sorted(made["versions"].items()))
    yield f"Beside the clients themselves: {told}."


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def main(words: Sequence[str]) -> int:
    """Writes the page and the report beside it; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.conformance.report.page")
    parser.add_argument(
        "--again",
        action="store_true",
        help="judge docs/conformance.json anew, as client.json and the snippets are now",
    )
    again = parser.parse_args(words).again
    try:
        made = json.loads((FIGURES if again else report.REPORT).read_text())
        made = checked(report.again(made, clients.found()))
    except FileNotFoundError:
        sys.stderr.write("conformance: no report: run make conformance\n")
        return 1
    except LabError as error:
        sys.stderr.write(f"conformance: {error}\n")
        return 1
    FIGURES.write_text(json.dumps(made, indent=1) + "\n")
    PAGE.write_text(written(made))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
