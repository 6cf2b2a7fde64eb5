"""`nodeway sandbox check`: runs the check on the sandbox's client host through Systems Manager, and shows its result.

The AUTH token is read on the host and stays there.
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
from nodeway.client.slots import SLOTS
from nodeway.client.wait import WaitTimeout, wait_until
from nodeway.config.model import EnvironmentConfig
from nodeway.config.sandbox import HOME, PORT, split_quarters
from nodeway.errors import CommandError, format_error

FAILED = 1
CA_FILE = "/etc/pki/tls/certs/ca-bundle.crt"
PAUSE_SECONDS = 3.0
UNFINISHED = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
"""Statuses of an invocation that runs:
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html"""

T = TypeVar("T")
Result = dict[str, Any]

app = typer.Typer(no_args_is_help=True, help="The sandbox on a live account (docs/sandbox.md).")


class SandboxAccount(Protocol):
    """The account of a sandbox."""

    def outputs(self, stack: str) -> Mapping[str, str]:
        """Returns a stack's outputs."""
        ...

    def client(self, service: str) -> Any:  # noqa: ANN401 (services without type stubs)
        """Returns a client of a service."""
        ...


@dataclass(frozen=True, slots=True)
class Polling:
    """The deadline of each step and the pause between two polls of AWS, in seconds."""

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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """On the client host: check that HAProxies are the only route to the nodes, then exercise a cluster client."""
    config = load_environment(env, Path.cwd())
    if config.sandbox is None:
        raise CommandError(f"{env} is no sandbox: its block in cdk.json has no key `sandbox`")
    reach: Callable[[EnvironmentConfig], SandboxAccount] = context.obj or AwsAccount
    result = run_check(config, reach(config), Polling(timeout))
    if as_json:
        typer.echo(json.dumps({"environment": config.name, **result}))
    else:
        Console(width=None if sys.stdout.isatty() else 120).print(render_table(result))
    if not result["ok"]:
        raise typer.Exit(FAILED)


def run_check(config: EnvironmentConfig, account: SandboxAccount, polling: Polling) -> Result:
    """Runs the check on the host, and returns its result; raises CommandError if it does not finish."""
    stack = f"nodeway-{config.name}-sandbox"
    try:
        outputs = account.outputs(stack)
        commands = check_command(config, outputs, node_addresses(account.client("ec2"), outputs))
        ssm, instance = account.client("ssm"), outputs["ClientInstance"]
        wait_for_registration(ssm, instance, polling)
        return parse_result(run_command(ssm, instance, commands, polling))
    except KeyError as error:
        msg = f"stack {stack} has no output {error.args[0]}: deploy it again"
        raise CommandError(msg) from error
    except (ClientError, BotoCoreError) as error:
        if "does not exist" in str(error):
            msg = f"there is no stack {stack}: deploy it with cdk deploy -c env={config.name} --all"
            raise CommandError(msg) from error
        raise CommandError(f"the check cannot be run: {format_error(error)}") from error


def node_addresses(ec2: Any, outputs: Mapping[str, str]) -> list[str]:  # noqa: ANN401 (an untyped client)
    """Returns the addresses of the nodes' network interfaces; raises CommandError if there are fewer than nodes."""
    pages = ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[
            {"Name": "vpc-id", "Values": [outputs["CacheVpcId"]]},
            {"Name": "group-id", "Values": [outputs["CacheSecurityGroup"]]},
        ]
    )
    addresses = sorted(
        interface["PrivateIpAddress"] for page in pages for interface in page["NetworkInterfaces"]
    )
    nodes = len(outputs["NodeNames"].split(","))
    if len(addresses) < nodes:
        msg = f"the cache's VPC has {len(addresses)} interfaces of {nodes} nodes: try again"
        raise CommandError(msg)
    return addresses


def check_command(
    config: EnvironmentConfig, outputs: Mapping[str, str], addresses: Sequence[str]
) -> list[str]:
    """Returns the lines of the shell script. They have the secret's ARN, and the host reads the secret."""
    sandbox = config.sandbox
    if sandbox is None:
        raise CommandError(f"{config.name} is no sandbox")
    _, proxies, _ = split_quarters(sandbox.cidr)
    names = outputs["NodeNames"].split(",")
    options = ["--through", str(proxies), "--direct", *addresses, "--names", *names]
    secret = f"--region {config.region} --secret-id {shlex.quote(outputs['Secret'])}"
    script = f"""
set -eu
cloud-init status --wait > /dev/null || true
if ! test -e {HOME}/ready; then
    echo "the host did not finish its boot commands:" >&2
    tail -n 5 /var/log/cloud-init-output.log >&2
    exit 3
fi
export LAB_ENDPOINT={shlex.quote(outputs["Endpoint"])} LAB_PORT={PORT}
export LAB_USERNAME=default LAB_CA_FILE={CA_FILE}
LAB_PASSWORD=$(aws secretsmanager get-secret-value --query SecretString --output text {secret})
export LAB_PASSWORD
cd {HOME}/programs
exec {HOME}/venv/bin/python -m nodeway.client.check {shlex.join(options)}
"""
    return script.strip().splitlines()


def wait_for_registration(ssm: Any, instance: str, polling: Polling) -> None:  # noqa: ANN401 (as above)
    """Waits until the host is online in Systems Manager; raises CommandError after the timeout."""

    def is_online() -> bool:
        instances = ssm.describe_instance_information(
            Filters=[{"Key": "InstanceIds", "Values": [instance]}]
        )["InstanceInformationList"]
        return any(instance.get("PingStatus") == "Online" for instance in instances)

    print_progress(f"waiting for {instance} in Systems Manager")
    wait_for(is_online, f"{instance} is not in Systems Manager", polling)


def run_command(ssm: Any, instance: str, commands: Sequence[str], polling: Polling) -> Result:  # noqa: ANN401 (as above)
    """Runs the command, and returns its finished invocation. After the timeout cancels it and raises CommandError."""
    command_id = ssm.send_command(
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Comment="nodeway sandbox check",
        Parameters={"commands": list(commands), "executionTimeout": [str(int(polling.timeout))]},
    )["Command"]["CommandId"]

    def finished_invocation() -> Result | None:
        try:
            invocation: Result = ssm.get_command_invocation(
                CommandId=command_id, InstanceId=instance
            )
        except ssm.exceptions.InvocationDoesNotExist:
            # the invocation appears some time after the command was sent
            return None
        return None if invocation["Status"] in UNFINISHED else invocation

    print_progress(f"the check runs as command {command_id}")
    try:
        return wait_for(finished_invocation, f"command {command_id} did not end", polling)
    except CommandError:
        ssm.cancel_command(CommandId=command_id)
        raise


def wait_for(check: Callable[[], T | None], failure: str, polling: Polling) -> T:
    """Polls `check` until its result is true, and returns it; raises CommandError with `failure` after the timeout."""
    try:
        return wait_until(
            check, timeout_seconds=polling.timeout, what="AWS", pause_seconds=polling.pause
        )
    except WaitTimeout as error:
        msg = f"{failure} after {polling.timeout:g} s; raise it with --timeout, or see docs/sandbox.md"
        raise CommandError(msg) from error


def parse_result(invocation: Result) -> Result:
    """Returns the check's last line of output as JSON; without one raises CommandError with the standard error."""
    lines = invocation.get("StandardOutputContent", "").splitlines()
    try:
        figures: Result = json.loads(lines[-1])
        parts = {key: figures[key] for key in ("ok", "direct", "names", "exercise")}
    except (IndexError, KeyError, TypeError, json.JSONDecodeError) as error:
        errors = " ".join(invocation.get("StandardErrorContent", "").split()) or "no output"
        msg = f"the check ended as {invocation['Status']} without a result: {errors[-400:]}"
        raise CommandError(msg) from error
    return {**parts, "ok": parts["ok"] is True and invocation["Status"] == "Success"}


def render_table(result: Result) -> Table:
    """Renders the result as a table."""
    table = Table(title="the sandbox, from its client host", title_justify="left")
    for column in ("what", "right", "found"):
        table.add_column(column)
    for subject, is_right, details in result_rows(result):
        table.add_row(subject, "yes" if is_right else "NO", details)
    return table


def result_rows(result: Result) -> Iterator[tuple[str, bool, str]]:
    """Yields the subject of each check, whether it passed, and its details."""
    for node in result["direct"]:
        details = f"{node['answer']}: the proxy is bypassed" if node["answer"] else "no answer"
        yield f"{node['address']}, a node's own", node["ok"], details
    for node in result["names"]:
        details = ", ".join(node["addresses"]) or "no address"
        for key, problem in (("elsewhere", "not a HAProxy's"), ("silent", "no connection")):
            details += f"; {problem}: {', '.join(node[key])}" if node[key] else ""
        yield node["name"], node["ok"], details
    exercise = result["exercise"]
    if "error" in exercise:
        yield "a cluster client", False, exercise["error"]
        return
    written, read = exercise["keys_written"], exercise["keys_read_back"]
    yield "keys", read == written, f"{read} of {written} read as written"
    slots = exercise["slots_covered"]
    yield "slots", slots == SLOTS, str(slots)
    problems = ", ".join(exercise["tls_problems"]) or "verified by each node's own name"
    yield "TLS", exercise["tls_verified"], problems
    for name, outcome in exercise["commands"].items():
        yield name, outcome == "ok", outcome
    if exercise["other_nodes"]:
        yield "nodes", False, f"not as deployed: {', '.join(exercise['other_nodes'])}"


def print_progress(text: str) -> None:
    """Prints a line on standard error."""
    sys.stderr.write(f"nodeway: {text}\n")
