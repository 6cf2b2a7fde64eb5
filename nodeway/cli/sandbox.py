"""`nodeway sandbox check`: runs the sandbox's check on its client host, by Systems Manager, and says what came of it.

The AUTH token is read on the host and stays there. It must never take a check that did not end for one that passed.
"""

import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from nodeway.cli.account import AwsAccount, load_environment
from nodeway.client.wait import WaitTimeout, wait_until
from nodeway.config.model import EnvironmentConfig
from nodeway.config.sandbox import HOME, PORT, split_quarters
from nodeway.errors import CommandError, on_one_line

FAILED = 1
CA_FILE = "/etc/pki/tls/certs/ca-bundle.crt"
PAUSE_SECONDS = 3.0
UNDER_WAY = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
"""https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html"""

T = TypeVar("T")
Result = dict[str, Any]

app = typer.Typer(no_args_is_help=True, help="The sandbox on a live account (docs/sandbox.md).")


class Account(Protocol):
    """What the check needs of an account."""

    def outputs(self, stack: str) -> Mapping[str, str]:
        """A stack's outputs."""
        ...

    def client(self, service: str) -> Any:  # noqa: ANN401 (of services that ship no types here)
        """A client of a service."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the whole check may take, and how often AWS is asked; in seconds."""

    timeout: float
    pause: float = PAUSE_SECONDS


@app.callback()
def sandbox() -> None:
    """The sandbox on a live account (docs/sandbox.md)."""


@app.command()
def check(
    context: typer.Context,
    env: Annotated[str, typer.Option("--env", help="The environment in cdk.json.")] = "sandbox",
    timeout: Annotated[int, typer.Option("--timeout", help="Seconds for each step.")] = 600,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """From the sandbox's client host: no way to a node but through its HAProxy, then a cluster client's day's work."""
    config = load_environment(env, Path.cwd())
    if config.sandbox is None:
        raise CommandError(f"{env} is no sandbox: its block in cdk.json has no key `sandbox`")
    reach: Callable[[EnvironmentConfig], Account] = context.obj or AwsAccount
    result = run_check(config, reach(config), Patience(timeout))
    if as_json:
        typer.echo(json.dumps({"environment": config.name, **result}))
    else:
        Console(width=None if sys.stdout.isatty() else 120).print(render_table(result))
    if not result["ok"]:
        raise typer.Exit(FAILED)


def run_check(config: EnvironmentConfig, account: Account, patience: Patience) -> Result:
    """What the check on the host found; raises CommandError when it could not be run to its end."""
    stack = f"nodeway-{config.name}-sandbox"
    try:
        told = account.outputs(stack)
        words = check_command(config, told, node_addresses(account.client("ec2"), told))
        ssm = account.client("ssm")
        wait_for_registration(ssm, told["ClientInstance"], patience)
        return parse_result(run_command(ssm, told["ClientInstance"], words, patience))
    except KeyError as error:
        msg = f"stack {stack} has no output {error.args[0]}: deploy it again"
        raise CommandError(msg) from error
    except (ClientError, BotoCoreError) as error:
        if "does not exist" in str(error):
            msg = f"there is no stack {stack}: deploy it with cdk deploy -c env={config.name} --all"
            raise CommandError(msg) from error
        raise CommandError(f"the check cannot be run: {on_one_line(error)}") from error


def node_addresses(ec2: Any, told: Mapping[str, str]) -> list[str]:  # noqa: ANN401 (an untyped client)
    """The nodes' own addresses, from their network interfaces; raises CommandError unless each node has one."""
    pages = ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[
            {"Name": "vpc-id", "Values": [told["CacheVpcId"]]},
            {"Name": "group-id", "Values": [told["CacheSecurityGroup"]]},
        ]
    )
    found = sorted(one["PrivateIpAddress"] for page in pages for one in page["NetworkInterfaces"])
    names = told["NodeNames"].split(",")
    if len(found) < len(names):
        msg = f"the cache's VPC has {len(found)} interfaces of nodes, and there are {len(names)} nodes: try again"
        raise CommandError(msg)
    return found


def check_command(
    config: EnvironmentConfig, told: Mapping[str, str], addresses: Sequence[str]
) -> list[str]:
    """The shell's lines. They name the secret and never hold it."""
    sandbox = config.sandbox
    if sandbox is None:
        raise CommandError(f"{config.name} is no sandbox")
    _, proxies, _ = split_quarters(sandbox.cidr)
    names = told["NodeNames"].split(",")
    words = ["--through", str(proxies), "--direct", *addresses, "--names", *names]
    secret = f"--region {config.region} --secret-id {shlex.quote(told['Secret'])}"
    script = f"""
set -eu
cloud-init status --wait > /dev/null || true
if ! test -e {HOME}/ready; then
    echo "the host did not boot to its end:" >&2
    tail -n 5 /var/log/cloud-init-output.log >&2
    exit 3
fi
export LAB_ENDPOINT={shlex.quote(told["Endpoint"])} LAB_PORT={PORT}
export LAB_USERNAME=default LAB_CA_FILE={CA_FILE}
LAB_PASSWORD=$(aws secretsmanager get-secret-value --query SecretString --output text {secret})
export LAB_PASSWORD
cd {HOME}/programs
exec {HOME}/venv/bin/python -m nodeway.client.check {shlex.join(words)}
"""
    return script.strip().splitlines()


def wait_for_registration(ssm: Any, instance: str, patience: Patience) -> None:  # noqa: ANN401 (as above)
    """Waits until Systems Manager has the host; raises CommandError when it does not come."""

    def online() -> bool:
        told = ssm.describe_instance_information(
            Filters=[{"Key": "InstanceIds", "Values": [instance]}]
        )["InstanceInformationList"]
        return any(one.get("PingStatus") == "Online" for one in told)

    print_progress(f"waiting for {instance} in Systems Manager")
    wait_for(online, f"{instance} is not in Systems Manager", patience)


def run_command(ssm: Any, instance: str, words: Sequence[str], patience: Patience) -> Result:  # noqa: ANN401 (as above)
    """The command's invocation when it has ended; raises CommandError, and cancels it, when it does not end."""
    sent = ssm.send_command(
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Comment="nodeway sandbox check",
        Parameters={"commands": list(words), "executionTimeout": [str(int(patience.timeout))]},
    )["Command"]["CommandId"]

    def done() -> Result | None:
        try:
            told: Result = ssm.get_command_invocation(CommandId=sent, InstanceId=instance)
        except ssm.exceptions.InvocationDoesNotExist:
            # Systems Manager takes a moment to know what it was told
            return None
        return None if told["Status"] in UNDER_WAY else told

    print_progress(f"the check runs as command {sent}")
    try:
        return wait_for(done, f"command {sent} did not end", patience)
    except CommandError:
        ssm.cancel_command(CommandId=sent)
        raise


def wait_for(ask: Callable[[], T | None], without: str, patience: Patience) -> T:
    """What `ask` says at last; raises CommandError with `without` when its time is over."""
    try:
        return wait_until(
            ask, timeout_seconds=patience.timeout, what="AWS", pause_seconds=patience.pause
        )
    except WaitTimeout as error:
        msg = f"{without} after {patience.timeout:g} s; give it more with --timeout, or see docs/sandbox.md"
        raise CommandError(msg) from error


def parse_result(told: Result) -> Result:
    """The check's own line; raises CommandError with the host's words when it has none."""
    lines = told.get("StandardOutputContent", "").splitlines()
    try:
        found: Result = json.loads(lines[-1])
        parts = {key: found[key] for key in ("ok", "direct", "names", "exercise")}
    except (IndexError, KeyError, TypeError, json.JSONDecodeError) as error:
        words = " ".join(told.get("StandardErrorContent", "").split()) or "it said nothing"
        msg = f"the check ended as {told['Status']} without a result: {words[-400:]}"
        raise CommandError(msg) from error
    return {**parts, "ok": parts["ok"] is True and told["Status"] == "Success"}


def render_table(result: Result) -> Table:
    """The result for a person."""
    shown = Table(title="the sandbox, from its client host", title_justify="left")
    for column in ("what", "right", "found"):
        shown.add_column(column)
    for what, right, found in result_rows(result):
        shown.add_row(what, "yes" if right else "NO", found)
    return shown


def result_rows(result: Result) -> Iterator[tuple[str, bool, str]]:
    """What was looked at, whether it was right, and what there was."""
    for one in result["direct"]:
        told = f"{one['answer']}: there is a way around" if one["answer"] else "no answer"
        yield f"{one['address']}, a node's own", one["ok"], told
    for one in result["names"]:
        told = ", ".join(one["addresses"]) or "no address"
        for key, words in (("elsewhere", "not a HAProxy's"), ("silent", "no connection")):
            told += f"; {words}: {', '.join(one[key])}" if one[key] else ""
        yield one["name"], one["ok"], told
    done = result["exercise"]
    if "error" in done:
        yield "a cluster client", False, done["error"]
        return
    read_back = f"{done['keys_read_back']} of {done['keys_written']}"
    yield "keys", done["keys_read_back"] == done["keys_written"], f"{read_back} read as written"
    yield "slots", done["slots_covered"] == 16384, str(done["slots_covered"])  # noqa: PLR2004 (all)
    problems = ", ".join(done["tls_problems"]) or "verified by each node's own name"
    yield "TLS", done["tls_verified"], problems
    for name, outcome in done["commands"].items():
        yield name, outcome == "ok", outcome
    if done["other_nodes"]:
        yield "nodes", False, f"not as deployed: {', '.join(done['other_nodes'])}"


def print_progress(text: str) -> None:
    """Progress, beside the result."""
    sys.stderr.write(f"nodeway: {text}\n")
