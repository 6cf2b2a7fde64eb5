"""`nodeway doctor`: traces the path of every name from the host that it runs on, with the code of the deployed probe.

With --endpoint the nodes are those that the cluster reports; with --env they are those of AWS, with their records and
tasks.
"""

import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nodeway.cli.account import unreadable
from nodeway.cli.console import AsJson, Cluster, load_account, make_console, print_json
from nodeway.cli.doctor_output import print_table
from nodeway.errors import CommandError
from nodeway_runtime.html.page import render_page
from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.topology import Hostname, hostname
from nodeway_runtime.paths.report import Report, to_document
from nodeway_runtime.paths.targets import Targets, targets_from_snapshot
from nodeway_runtime.paths.verdicts import State
from nodeway_runtime.planner.reconcile import read_snapshot
from nodeway_runtime.probe.run import Probe
from nodeway_runtime.probe.walker import Login, Walker

EXIT = {State.OK: 0, State.DEGRADED: 3, State.BROKEN: 4}
"""Exit codes by the worst state. Every command exits with 1 for an error, and with 2 for invalid arguments."""
PASSWORD = "NODEWAY_PASSWORD"  # noqa: S105 (a variable's name)
DEFAULT_PORT = 6379
NOT_KNOWN = "without --username and --env the nodes are unknown: only the given names were traced"
NO_LOGIN = "no --username: the nodes' answers were checked, but not their identity"


def doctor(
    context: typer.Context,
    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint", help="The configuration endpoint, or a node: HOST or HOST:PORT."
        ),
    ] = None,
    node: Annotated[
        list[str] | None, typer.Option("--node", help="Another name to trace; may be repeated.")
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(
            "--env", help="An environment in cdk.json: compare with its records and tasks in AWS."
        ),
    ] = None,
    cluster: Cluster = None,
    username: Annotated[
        str | None,
        typer.Option(
            "--username", help=f"Log in as this user, with the password of {PASSWORD} or a prompt."
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="A PEM file of CAs to trust in place of the system's."),
    ] = None,
    as_json: AsJson = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write the report to this HTML file.")
    ] = None,
) -> None:
    """Trace the path to every node from this host, and show what is wrong and how to fix it.

    Exit code: 0 all in order, 3 degraded, 4 broken.
    """
    if (endpoint is None) == (env is None):
        raise CommandError("give --endpoint HOST:PORT, or --env NAME of a deployed environment")
    if env is not None and node:
        raise CommandError("--node is for --endpoint: with --env, the names are read from AWS")
    if endpoint is not None and cluster is not None:
        raise CommandError("--cluster is for --env: with --endpoint, its zone names the cluster")
    login = read_login(username)
    targets = (
        targets_from_args(endpoint, node or [])
        if endpoint is not None
        else targets_from_aws(context, str(env), cluster)
    )
    walker = make_walker(targets.port, ca, login)
    if targets.records is None:
        targets = targets_from_cluster(targets, walker)
    notes = () if login else (NO_LOGIN,)
    probe = Probe(f"host {socket.gethostname()}")
    with show_progress(len(targets.names)) as on_progress:
        report = probe.run(targets, walker, notes, on_progress)
    raise typer.Exit(print_report(report, as_json=as_json, html=html))


def print_report(report: Report, *, as_json: bool, html: Path | None) -> int:
    """Prints the report, and returns the exit code. Raises CommandError if the HTML file cannot be written."""
    if html is not None:
        write_file(html, render_page(report, datetime.now(UTC)))
    if as_json:
        print_json(to_document(report))
    else:
        print_table(make_console(), report)
    return EXIT[report.worst]


def read_login(username: str | None) -> Login | None:
    """Returns the login, with the password of the environment variable or of a prompt; None without a user name.

    There is no option for the password, as every process of the host can read arguments.
    """
    password = os.environ.get(PASSWORD)  # noqa: TID251 (the password of a call without a terminal)
    if username is None:
        if password is not None:
            raise CommandError(f"{PASSWORD} is set, but no --username is given")
        return None
    if password is None:
        if not sys.stdin.isatty():
            raise CommandError(f"--username {username} needs its password in {PASSWORD}")
        password = str(typer.prompt(f"Password of {username}", hide_input=True, err=True))
    return Login(username, password)


def targets_from_args(endpoint: str, nodes: list[str]) -> Targets:
    """Returns the names of --endpoint and --node as targets; raises CommandError for an invalid one."""
    host, colon, port = endpoint.partition(":")
    if colon and not (port.isdecimal() and 0 < int(port) < 2**16):
        raise CommandError(f"--endpoint: got {endpoint!r}; allowed: HOST or HOST:PORT")
    name = parse_name("--endpoint", host)
    names = tuple(dict.fromkeys((*(parse_name("--node", node) for node in nodes), name)))
    label, _, zone = name.partition(".")
    if not zone:
        raise CommandError(
            f"--endpoint: got {endpoint!r}; allowed: a fully qualified name, with its zone"
        )
    foreign = [name for name in names if name.partition(".")[2] != zone]
    if foreign:
        raise CommandError(f"--node: {foreign[0]} is not in {zone}, the zone of the endpoint")
    return Targets(
        cluster=zone.partition(".")[0],
        zone=Hostname(zone),
        port=int(port or DEFAULT_PORT),
        names=names,
        endpoint=name if label == "clustercfg" else None,
    )


def parse_name(option: str, text: str) -> Hostname:
    """Returns the host name of an option; raises CommandError for an invalid one."""
    try:
        name = hostname(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from error
    if name.rpartition(".")[2].isdecimal():
        raise CommandError(
            f"{option}: got {text!r}; allowed: a host name, as certificates have no addresses"
        )
    return name


def targets_from_cluster(targets: Targets, walker: Walker) -> Targets:
    """Returns the targets with the nodes that the cluster reports, if the walker can log in."""
    if walker.login is None:
        return targets if len(targets.names) > 1 else replace(targets, notes=(NOT_KNOWN,))
    reported = {
        member.endpoint
        for name in targets.names
        for trace in walker.trace(name, view=True).traces
        for member in trace.reply.members or ()
        if not member.is_address
    }
    inside = sorted(name for name in reported if is_in_zone(name, targets.zone))
    outside = sorted(reported.difference(inside))
    notes = (f"the cluster names nodes outside of the zone: {', '.join(outside)}",)
    return replace(
        targets,
        names=tuple(dict.fromkeys((*map(Hostname, inside), *targets.names))),
        notes=notes if outside else (),
    )


def is_in_zone(name: str, zone: str) -> bool:
    """Whether the text is a host name of the zone."""
    try:
        return hostname(name).endswith(f".{zone}")
    except ValueError:
        return False


def targets_from_aws(context: typer.Context, env: str, cluster: str | None) -> Targets:
    """Returns the names of the deployed cluster as targets; raises CommandError if they cannot be read."""
    config, account = load_account(context, env)
    choices = {choice.label: choice for choice in config.overridden_clusters}
    if cluster is None and len(choices) != 1:
        raise CommandError(f"--cluster: give one of {', '.join(sorted(choices)) or 'none'}")
    label = cluster or next(iter(choices))
    if label not in choices:
        raise CommandError(f"--cluster: got {label!r}; allowed: {', '.join(sorted(choices))}")
    deployment = account.deployment(label)
    try:
        snapshot = read_snapshot(deployment.ports, deployment.settings)
        topology = snapshot.topology
        if deployment.settings.fleet_name is not None:
            topology = deployment.nodes.topology(choices[label].replication_group_id)
    except ReadFailed as error:
        raise unreadable(error) from error
    return targets_from_snapshot(snapshot, topology, deployment.settings, label)


def make_walker(port: int, ca: Path | None, login: Login | None) -> Walker:
    """Returns a walker that trusts the CAs of the file; raises CommandError for a file without any."""
    try:
        return Walker.of(port, ca_file=str(ca) if ca else None, login=login)
    except OSError as error:
        reason = "it has no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise CommandError(f"--ca {ca}: {reason}; give a PEM file") from error


@contextmanager
def show_progress(names: int) -> Iterator[Callable[[int], None]]:
    """Shows the progress on standard error, if it is a terminal. Yields a function that takes the number of names."""
    console = Console(stderr=True)
    with console.status(f"tracing {names} names") as status:
        yield lambda done: status.update(f"traced {done} of {names} names")


def write_file(target: Path, text: str) -> None:
    """Writes the file atomically; raises CommandError if it cannot be written."""
    if not target.name:
        raise CommandError(f"--html {target}: is a directory; give a file")
    scratch = target.with_name(f".{target.name}.new")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(target)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise CommandError(f"--html {target}: {error.strerror}") from error
