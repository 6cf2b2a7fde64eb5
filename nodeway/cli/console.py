"""What the commands share: options, the account of an environment, and output."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from nodeway.cli.account import Account, AwsAccount, Reach, load_environment
from nodeway.config.model import EnvironmentConfig

Env = Annotated[str, typer.Option("--env", help="The environment in cdk.json.")]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", help="Only this cluster, by the label in its stacks' names."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def load_account(context: typer.Context, env: str) -> tuple[EnvironmentConfig, Account]:
    """Returns the environment and its account; raises CommandError or ConfigError."""
    config = load_environment(env, Path.cwd())
    reach: Reach = context.obj or AwsAccount
    return config, reach(config)


def make_console() -> Console:
    """Returns a console on standard output, with colours only on a terminal, and none with NO_COLOR."""
    return Console(highlight=False)


def print_line(console: Console, text: str, style: str = "") -> None:
    """Prints a line as it is: neither wrapped nor parsed for markup."""
    console.print(Text(text, style=style), soft_wrap=True)


def print_json(document: dict[str, Any]) -> None:
    """Prints a document on standard output."""
    typer.echo(json.dumps(document, indent=2))
