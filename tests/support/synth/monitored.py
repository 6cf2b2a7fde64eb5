"""The monitoring stack by itself: beside stacks that have only what it looks at, however many nodes they stand for."""

import json
from dataclasses import dataclass
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from nodeway.config.loader import load
from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.config.model import Probe as ProbeLogin
from nodeway.constructs.monitoring.monitored import Watched
from nodeway.constructs.monitoring.monitoring import MonitoringStack
from nodeway.lookup.topology import KnownNode, KnownTopology
from nodeway_runtime.model.settings import Mode
from tests.synth.conftest import CONTEXT, Synthesis

ZONE = "a1b2c3.use1.cache.amazonaws.com"
WHERE = cdk.Environment(account="111122223333", region="us-east-1")


class Fleet(cdk.Stack):
    """An ECS cluster."""

    def __init__(self, scope: cdk.App, name: str) -> None:
        super().__init__(scope, name, env=WHERE)
        vpc = ec2.Vpc.from_vpc_attributes(
            self, "Vpc", vpc_id="vpc-1", availability_zones=["us-east-1a"]
        )
        self.cluster = ecs.Cluster(self, "Cluster", vpc=vpc)


class Resync(cdk.Stack):
    """A queue of failures."""

    def __init__(self, scope: cdk.App, name: str, mode: Mode) -> None:
        super().__init__(scope, name, env=WHERE)
        self.mode = mode
        self.failures = sqs.Queue(self, "Failures")


class Probe(cdk.Stack):
    """A function that would answer the widget."""

    def __init__(self, scope: cdk.App, name: str) -> None:
        super().__init__(scope, name, env=WHERE)
        self.watch = lambda_.Function(
            self,
            "Watch",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="index.handle",
            code=lambda_.Code.from_inline("def handle(*_): ..."),
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """The stack's template, and its dashboard with what the deploy puts into it as `<…>`."""

    synthesis: Synthesis

    @property
    def template(self) -> dict[str, Any]:
        """As it is deployed."""
        return self.synthesis.templates["monitoring"]

    @property
    def body(self) -> str:
        """The dashboard as CloudWatch gets it."""
        told = self.synthesis.only("monitoring", "AWS::CloudWatch::Dashboard")["DashboardBody"]
        return "".join(
            part if isinstance(part, str) else f"<{next(iter(part.values()))}>"
            for part in told["Fn::Join"][1]
        )

    @property
    def widgets(self) -> list[dict[str, Any]]:
        """In their order."""
        found: list[dict[str, Any]] = json.loads(self.body)["widgets"]
        return found

    @property
    def alarms(self) -> dict[str, dict[str, Any]]:
        """By the end of their names."""
        every = self.synthesis.resources("monitoring", "AWS::CloudWatch::Alarm").values()
        properties = [one["Properties"] for one in every]
        return {one["AlarmName"].removeprefix("nodeway-dev-"): one for one in properties}


def shown(
    *ways: str,
    nodes: int = 4,
    probe: bool = False,
    login: str | None = "prober",
    zone: str | None = None,
    **block: Any,  # noqa: ANN401 (any JSON)
) -> Shown:
    """An environment with one cluster for each way, which a probe logs in to; `block` changes its keys."""
    environment = {**CONTEXT["environments"]["dev"], **block}
    app = cdk.App(context={**CONTEXT, "env": "dev", "environments": {"dev": environment}})
    config = load(app.node.get_all_context())
    clusters = [
        watched(app, config, cluster_of(f"c{number}", way, login), nodes, zone, probe=probe)
        for number, way in enumerate(ways)
    ]
    stack = MonitoringStack(
        app, "nodeway-dev-monitoring", environment=config, clusters=clusters, env=WHERE
    )
    assembly = app.synth()
    template = json.dumps(assembly.get_stack_by_name(stack.stack_name).template)
    return Shown(Synthesis(assembly, {"monitoring": json.loads(template)}))


def cluster_of(name: str, way: str, login: str | None) -> ClusterConfig:
    """As little of a cluster's configuration as is read here."""
    probe = ProbeLogin(iam_username=login)
    return ClusterConfig.model_construct(replication_group_id=name, proxy=way, probe=probe)


def watched(
    app: cdk.App,
    config: EnvironmentConfig,
    cluster: ClusterConfig,
    nodes: int,
    zone: str | None,
    *,
    probe: bool,
) -> Watched:
    """A cluster of so many nodes."""
    name = cluster.replication_group_id
    where = zone or f"{name}.{ZONE}"
    topology = KnownTopology.model_construct(
        zone_name=where,
        port=6379,
        nodes=tuple(
            KnownNode.model_construct(
                cache_cluster_id=f"{name}-{number:04}-001",
                hostname=f"{name}-{number:04}-001.{where}",
                availability_zone="us-east-1a",
            )
            for number in range(1, nodes + 1)
        ),
    )
    stack = f"nodeway-dev-{cluster.label}"
    return Watched(
        cluster,
        topology,
        cast("Any", Fleet(app, f"{stack}-fleet")),
        cast("Any", Resync(app, f"{stack}-resync", config.resync)),
        Probe(app, f"{stack}-probe") if probe else None,
    )
