"""The deployed product, through the AWS API."""

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

from lab import layout
from lab.errors import LabError
from lab.wait import wait_until
from nodeway_runtime.aws.ecs import Ecs
from nodeway_runtime.aws.route53 import Route53Zone
from nodeway_runtime.model.topology import Hostname, Proxy, RecordType
from nodeway_runtime.paths.report import Report, from_document

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_route53 import Route53Client

STACKS = "nodeway-lab-"
"""How the names of all stacks of the environment `lab` begin."""
FLEETS = (f"{layout.REPLICATION_GROUP}-envoy", f"{layout.REPLICATION_GROUP}-shared")
"""Labels of the fleets that have one name for all nodes."""
BUSY_SECONDS = 120
"""How long other runs of a function may go on before ours gives up."""
NEEDED = frozenset({"EcsCluster", "HostedZoneId", "ResyncFunction"})


def client(service: str) -> Any:
    """A boto3 client of the fake account."""
    return boto3.client(
        service,
        region_name=layout.REGION,
        endpoint_url=layout.AWS_ENDPOINT,
        aws_access_key_id=layout.ACCOUNT,
        aws_secret_access_key="lab",
    )


def invoke(function: str) -> dict[str, Any]:
    """Invoke a function with an empty event and return its answer; raises LabError when it failed.

    A run of a trigger may hold the function's one concurrency: the call is repeated until it is free.
    """
    functions = client("lambda")

    def accepted() -> Any:
        with suppress(functions.exceptions.TooManyRequestsException):
            return functions.invoke(FunctionName=function, Payload=b"{}")

    answer = wait_until(
        accepted, timeout_seconds=BUSY_SECONDS, what=f"{function} to be free", pause_seconds=0.5
    )
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        msg = f"the function {function} failed: {said}"
        raise LabError(msg)
    return dict(said)


@dataclass(frozen=True)
class Product:
    """The stacks of an access mode: with a HAProxy for each node, or of the fleet with this label."""

    fleet: str = ""

    def stacks(self) -> dict[str, dict[str, Any]]:
        """The existing stacks by name, as CloudFormation describes them."""
        pages = client("cloudformation").get_paginator("describe_stacks").paginate()
        found = [stack for page in pages for stack in page["Stacks"]]
        return {s["StackName"]: s for s in found if self._is_ours(s["StackName"])}

    def _is_ours(self, stack: str) -> bool:
        of_fleet = f"{STACKS}{self.fleet}-"
        # the monitoring of all of them belongs to no mode
        others = (*(f"{STACKS}{fleet}-" for fleet in FLEETS), f"{STACKS}monitoring")
        return stack.startswith(of_fleet if self.fleet else STACKS) and (
            bool(self.fleet) or not stack.startswith(others)
        )

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stacks' outputs; raises LabError when they are not deployed."""
        found = {
            one["OutputKey"]: one["OutputValue"]
            for stack in self.stacks().values()
            for one in stack.get("Outputs", [])
        }
        if missing := sorted(NEEDED - found.keys()):
            msg = f"the product is not deployed: no stack {STACKS}* has the outputs {', '.join(missing)}"
            raise LabError(msg)
        return found

    def records(self) -> dict[str, tuple[str, ...]]:
        """Name to addresses, of the zone's A records."""
        route53: Route53Client = client("route53")
        zone = Route53Zone(route53, self.outputs["HostedZoneId"])
        return {r.name: r.values for r in zone.records() if r.type is RecordType.A}

    def proxies(self) -> tuple[Proxy, ...]:
        """The HAProxy tasks that ECS wants to run."""
        ecs: ECSClient = client("ecs")
        name = Hostname(self.fleet) if self.fleet else None
        return Ecs(ecs, fleet_name=name).fleet(self.outputs["EcsCluster"]).proxies

    def resync(self) -> dict[str, Any]:
        """Run the deployed resync once and return its answer; raises LabError when it failed."""
        return invoke(self.outputs["ResyncFunction"])

    def probe(self) -> Report:
        """Run the deployed probe once and return its report; raises LabError when it failed."""
        (told,) = invoke(self.outputs["ProbeFunction"])["reports"]
        return from_document(told)

    def changes(self) -> int:
        """The number of record changes so far, from the function's log."""
        return len(self.log("change"))

    def log(self, message: str) -> list[dict[str, Any]]:
        """The function's log lines with this message."""
        logs = client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=self.log_group, filterPattern=""
        )
        lines = [event["message"] for page in pages for event in page["events"]]
        parsed = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in parsed if line.get("message") == message]

    @cached_property
    def log_group(self) -> str:
        """The function's log group."""
        function = client("lambda").get_function_configuration(
            FunctionName=self.outputs["ResyncFunction"]
        )
        return str(function["LoggingConfig"]["LogGroup"])
