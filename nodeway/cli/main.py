"""`nodeway`: thin commands over what the packages can do. An error a person can act on is one line and an exit code."""

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from typing import Annotated

import typer

from nodeway.cli import resync
from nodeway.cli import sandbox as live
from nodeway.cli.account import Reach
from nodeway.cli.advise import advise
from nodeway.cli.doctor import doctor
from nodeway.errors import NodewayError

FAILED = 1
COMMANDS = "nodeway.commands"
"""The entry-point group by which another distribution adds a command group: a Typer app under its name."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Reach every ElastiCache node from a network that cannot.",
)
for command in (resync.plan, resync.apply, resync.explain, doctor, advise):
    app.command()(command)
app.add_typer(live.app, name="sandbox")
for point in entry_points(group=COMMANDS):
    app.add_typer(point.load(), name=point.name)


def show_version(wanted: bool) -> None:
    """Prints the installed version and ends."""
    if wanted:
        typer.echo(f"nodeway {version('nodeway')}")
        raise typer.Exit


@app.callback()
def nodeway(
    _: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Reach every ElastiCache node from a network that cannot."""


def main(words: Sequence[str] | None = None, reach: Reach | None = None) -> None:
    """The entry point: turns an error for people into one line. `reach` is where a test says who AWS is."""
    try:
        app(args=words, obj=reach)
    except NodewayError as error:
        sys.stderr.write(f"nodeway: {error}\n")
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
