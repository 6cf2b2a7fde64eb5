"""The command `nodeway`. An error that the user can fix is one line on standard error, with exit code 1."""

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from typing import Annotated

import typer

from nodeway.cli import resync, sandbox
from nodeway.cli.account import Reach
from nodeway.cli.advise import advise
from nodeway.cli.doctor import doctor
from nodeway.errors import NodewayError

FAILED = 1
COMMANDS = "nodeway.commands"
"""The entry-point group for command groups of other distributions: each entry point is a Typer app."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Reach every ElastiCache node from a network that cannot.",
)
for command in (resync.plan, resync.apply, resync.explain, doctor, advise):
    app.command()(command)
app.add_typer(sandbox.app, name="sandbox")
for point in entry_points(group=COMMANDS):
    app.add_typer(point.load(), name=point.name)


def show_version(value: bool) -> None:
    """Prints the installed version and exits, if the option is set."""
    if value:
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
    """Runs the command. `reach` replaces AWS in tests. Prints a NodewayError as one line and exits with 1."""
    try:
        app(args=words, obj=reach)
    except NodewayError as error:
        sys.stderr.write(f"nodeway: {error}\n")
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
