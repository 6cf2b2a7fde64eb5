"""`nodeway lab …`: the lab's commands, an entry point of `nodeway`."""

import json
import subprocess
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lab.console import control
from lab.console.agent import EVENTS
from lab.console.suites import SUITES
from lab.deployment.modes import AccessMode
from lab.errors import LabError
from lab.host import run_directory, sandbox
from lab.web.command import serve

FAILED = 1
STATUS_SECONDS = 60
WEB_PORT = 8470

app = typer.Typer(
    no_args_is_help=True,
    help="A whole deployment on this machine: real parts, three networks, no AWS account.",
)


@app.command()
def suite(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(SUITES)}.")] = "main",
) -> None:
    """Run a suite of scenarios in a lab of its own, with a table and a report in build/lab at the end.

    `main` is the main job from nothing to a scale-out; its report is build/lab/report.json.
    """
    if name not in SUITES:
        raise typer.BadParameter(f"no suite {name!r}; there are: {', '.join(SUITES)}")
    raise typer.Exit(control.run_suite(name))


@app.command()
def up(
    web: Annotated[
        bool, typer.Option("--web", help="Show it in a browser, until Ctrl-C: map, load, faults.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page, on 127.0.0.1; 0: any.")
    ] = WEB_PORT,
) -> None:
    """Start a lab that stays, with the product deployed in it."""
    if web:
        serve(port)
    elif port != WEB_PORT:
        raise typer.BadParameter("--port is the page's: write --web, too")
    else:
        control.up()


@app.command()
def down() -> None:
    """End the lab that is up; nothing of it stays."""
    control.down()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(
    context: typer.Context,
    way: Annotated[
        AccessMode,
        typer.Option(help="How the client reaches the cluster; one that is not there is deployed."),
    ] = AccessMode.PER_NODE,
) -> None:
    """Run any command in the client's network: nodeway lab run -- COMMAND.

    It gets LAB_WAY, LAB_ENDPOINT, LAB_PORT, LAB_CA_FILE, LAB_USERNAME and LAB_PASSWORD. The lab that is up is used;
    else one is started for the time of the command. The exit code is the command's own.
    """
    if not context.args:
        raise typer.BadParameter(
            "no command; write it after --, for example: nodeway lab run -- python3 my_client.py"
        )
    raise typer.Exit(control.run(context.args, way))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def aws(context: typer.Context) -> None:
    """Run a command beside the fake AWS of the lab that is up: nodeway lab aws -- cdk diff --all -c env=lab.

    It gets the endpoint and keys of the fake account, and runs in the CDK project that was deployed.
    """
    if not context.args:
        raise typer.BadParameter(
            "no command; write it after --, for example: cdk diff --all -c env=lab"
        )
    raise typer.Exit(control.beside_aws(context.args))


@app.command()
def event(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(EVENTS)}.")],
    about: Annotated[
        str | None, typer.Argument(help="A shard (0001) or a node (demo-0001-001).")
    ] = None,
) -> None:
    """Cause an event in the lab that is up."""
    if name not in EVENTS:
        raise typer.BadParameter(f"no event {name!r}; there are: {', '.join(EVENTS)}")
    raise typer.Exit(control.ask("event", name, *([about] if about else [])))


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Show the nodes, their HAProxies and the records of the lab that is up."""
    found = run_directory.running()
    if found is None:
        typer.echo(
            json.dumps({"up": False})
            if as_json
            else "no lab is up: start one with `nodeway lab up`"
        )
        raise typer.Exit(0 if as_json else FAILED)
    words = [sys.executable, "-m", "lab.console.agent", "status"]
    done = subprocess.run(
        sandbox.enter(found.pid, words, user_namespace=found.user_namespace),
        capture_output=True,
        text=True,
        timeout=STATUS_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(done.stderr.strip().removeprefix("lab: "))
    if as_json:
        typer.echo(json.dumps({"up": True, **json.loads(done.stdout)}))
    else:
        Console().print(node_table(json.loads(done.stdout)))


def node_table(said: dict[str, object]) -> Table:
    """The lab's nodes as a table."""
    table = Table(title=f"{said['endpoint']} in the client's network", title_justify="left")
    for column in ("node", "role", "alive", "its name leads to"):
        table.add_column(column)
    nodes = said["nodes"]
    if isinstance(nodes, list):
        for node in nodes:
            leads = [
                f"{p['address']}{'' if p['healthy'] else ' (not healthy)'}" for p in node["proxies"]
            ]
            table.add_row(
                node["name"],
                node["role"],
                "yes" if node["alive"] else "NO",
                ", ".join(leads) or "nothing yet",
            )
    return table
