"""`nodeway doctor`: walks every name's path from the host that it runs on, with the code of the deployed probe.

Without AWS it knows what the cluster's own nodes say; with --env also what the zone and ECS say.
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

from nodeway.cli.doctor_output import print_table
from nodeway.cli.resync import AsJson, Cluster, machine, plain, reached
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
"""Exit codes by the worst result; 1 and 2 are those of every command that could not do its work."""
PASSWORD = "NODEWAY_PASSWORD"  # noqa: S105 (a variable's name)
DEFAULT_PORT = 6379
NOT_KNOWN = "without --username and without --env nobody says which nodes there are: only the names given are walked"


def doctor(
    context: typer.Context,
    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint", help="The configuration endpoint, or a node: HOST or HOST:PORT."
        ),
    ] = None,
    node: Annotated[
        list[str] | None, typer.Option("--node", help="One more name to walk; may be repeated.")
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(
            "--env", help="An environment in cdk.json: ask AWS what should be there, too."
        ),
    ] = None,
    cluster: Cluster = None,
    username: Annotated[
        str | None,
        typer.Option(
            "--username", help=f"Log in as this user; its password is in {PASSWORD}, or asked for."
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="A file of authorities to trust instead of the system's."),
    ] = None,
    as_json: AsJson = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the map as one HTML file, too.")
    ] = None,
) -> None:
    """Walk every node's path from here, and say what is wrong with it and what to do.

    Exit code: 0 all in order, 3 degraded, 4 broken.
    """
    if (endpoint is None) == (env is None):
        raise CommandError("give --endpoint HOST:PORT, or --env NAME for what is deployed")
    if env is not None and node:
        raise CommandError(
            "--node goes with --endpoint: with --env, AWS says which names there are"
        )
    if endpoint is not None and cluster is not None:
        raise CommandError("--cluster goes with --env: with --endpoint, its zone is the cluster")
    login = read_login(username)
    expected = (
        targets_from_args(endpoint, node or [])
        if endpoint is not None
        else targets_from_aws(context, str(env), cluster)
    )
    walker = make_walker(expected.port, ca, login)
    if expected.records is None:
        expected = targets_from_cluster(expected, walker)
    probe = Probe(f"host {socket.gethostname()}")
    with progress(len(expected.names)) as told:
        report = probe.run(expected, walker, access_notes(login), told)
    raise typer.Exit(print_report(report, as_json=as_json, html=html))


def print_report(report: Report, *, as_json: bool, html: Path | None) -> int:
    """Prints what was found, and gives the exit code; raises CommandError for a file that cannot be written."""
    if html is not None:
        write_file(html, render_page(report, datetime.now(UTC)))
    if as_json:
        machine(to_document(report))
    else:
        print_table(plain(), report)
    return EXIT[report.worst]


def read_login(username: str | None) -> Login | None:
    """Whom to log in as; the password never stands in an argument, which every process of the host can read."""
    password = os.environ.get(PASSWORD)  # noqa: TID251 (the one way in for a password without a terminal)
    if username is None:
        if password is not None:
            raise CommandError(f"{PASSWORD} is set, but no --username is given: whose is it?")
        return None
    if password is None:
        if not sys.stdin.isatty():
            raise CommandError(f"--username {username} needs its password in {PASSWORD}")
        password = str(typer.prompt(f"Password of {username}", hide_input=True, err=True))
    return Login(username, password)


def targets_from_args(endpoint: str, nodes: list[str]) -> Targets:
    """The map of what a person typed; raises CommandError."""
    host, colon, port = endpoint.partition(":")
    if colon and not (port.isdecimal() and 0 < int(port) < 2**16):
        raise CommandError(f"--endpoint: got {endpoint!r}; allowed: HOST or HOST:PORT")
    entrance = parse_name("--endpoint", host)
    names = tuple(dict.fromkeys((*(parse_name("--node", one) for one in nodes), entrance)))
    label, _, zone = entrance.partition(".")
    if not zone:
        raise CommandError(f"--endpoint: got {endpoint!r}; allowed: a whole name, with its zone")
    foreign = [name for name in names if name.partition(".")[2] != zone]
    if foreign:
        raise CommandError(f"--node: {foreign[0]} is not in {zone}, the zone of the endpoint")
    return Targets(
        cluster=zone.partition(".")[0],
        zone=Hostname(zone),
        port=int(port or DEFAULT_PORT),
        names=names,
        endpoint=entrance if label == "clustercfg" else None,
    )


def parse_name(option: str, text: str) -> Hostname:
    """A name that a person typed; raises CommandError."""
    try:
        name = hostname(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from error
    if name.rpartition(".")[2].isdecimal():
        raise CommandError(
            f"{option}: got {text!r}; allowed: a name, as certificates have no addresses"
        )
    return name


def targets_from_cluster(expected: Targets, walker: Walker) -> Targets:
    """The map with the nodes that the cluster itself names, where somebody may ask it."""
    if walker.login is None:
        return expected if len(expected.names) > 1 else replace(expected, notes=(NOT_KNOWN,))
    views = [
        walk.reply.members or ()
        for name in expected.names
        for walk in walker.trace(name, view=True).traces
    ]
    told = {member.endpoint for view in views for member in view if not member.is_address}
    mine = sorted(name for name in told if is_in_zone(name, expected.zone))
    elsewhere = sorted(told - set(mine))
    notes = (f"the cluster names nodes outside of the zone: {', '.join(elsewhere)}",)
    return replace(
        expected,
        names=tuple(dict.fromkeys((*map(Hostname, mine), *expected.names))),
        notes=notes if elsewhere else (),
    )


def is_in_zone(name: str, zone: str) -> bool:
    """Whether what a node says is a name of the zone."""
    try:
        return hostname(name).endswith(f".{zone}")
    except ValueError:
        return False


def targets_from_aws(context: typer.Context, env: str, cluster: str | None) -> Targets:
    """The map of what is deployed; raises CommandError."""
    config, account = reached(context, env)
    choices = {one.label: one for one in config.overridden_clusters}
    if cluster is None and len(choices) != 1:
        raise CommandError(f"--cluster: give one of {', '.join(sorted(choices)) or 'none'}")
    label = cluster or next(iter(choices))
    if label not in choices:
        raise CommandError(f"--cluster: got {label!r}; allowed: {', '.join(sorted(choices))}")
    found = account.deployment(label)
    try:
        seen = read_snapshot(found.ports, found.settings)
        nodes = seen.topology
        if found.settings.fleet_name is not None:
            nodes = found.nodes.topology(choices[label].replication_group_id)
    except ReadFailed as error:
        raise CommandError(f"what is deployed cannot be read: {error}") from error
    return targets_from_snapshot(seen, nodes, found.settings, label)


def make_walker(port: int, ca: Path | None, login: Login | None) -> Walker:
    """How to walk; raises CommandError for a file without authorities."""
    try:
        return Walker.of(port, ca_file=str(ca) if ca else None, login=login)
    except OSError as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise CommandError(f"--ca {ca}: {why}; give a PEM file") from error


def access_notes(login: Login | None) -> tuple[str, ...]:
    """What the reader must know of how deep it went."""
    return (
        () if login else ("no --username: nodes were asked whether they answer, not who they are",)
    )


@contextmanager
def progress(names: int) -> Iterator[Callable[[int], None]]:
    """Says on a terminal how far the walk is; on standard error, as the result goes to the other."""
    console = Console(stderr=True)
    with console.status(f"walking {names} names") as status:
        yield lambda done: status.update(f"walked {done} of {names} names")


def write_file(target: Path, text: str) -> None:
    """The file whole or not at all; raises CommandError."""
    if not target.name:
        raise CommandError(f"--html {target}: is a directory; give a file")
    scratch = target.with_name(f".{target.name}.new")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(target)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise CommandError(f"--html {target}: {error.strerror}") from error
