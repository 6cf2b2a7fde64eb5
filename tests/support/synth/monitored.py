"""The monitoring part by itself: beside a stack that has only what it looks at."""

import json
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from nodeway.config.loader import load
from nodeway.constructs.monitoring.monitored import Monitored
from nodeway.constructs.monitoring.monitoring import Monitoring
from nodeway.constructs.parts import PART_ID
from nodeway.constructs.proxies.envoy import EnvoyLogins
from nodeway.constructs.proxies.modes import EnvoyMode, PerNode, ProxyMode, Shared
from nodeway_runtime.model.settings import Mode
from tests.synth.conftest import CONTEXT, Synthesis

ZONE = "a1b2c3.use1.cache.amazonaws.com"
WHERE = cdk.Environment(account="111122223333", region="us-east-1")
MODES: dict[str, ProxyMode] = {
    "haproxy": PerNode(),
    "shared": Shared(("10.60.0.0/16",)),
    "envoy": EnvoyMode(EnvoyLogins(())),
}


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
    *modes: str,
    probe: bool = False,
    login: bool = True,
    zone: str | None = None,
    **block: Any,  # noqa: ANN401 (any JSON)
) -> Shown:
    """An environment with one cluster for each mode, which a probe logs in to; `block` changes its keys."""
    environment = {**CONTEXT["environments"]["dev"], **block}
    app = cdk.App(context={**CONTEXT, "env": "dev", "environments": {"dev": environment}})
    config = load(app.node.get_all_context())
    clusters = [
        monitored(app, f"c{number}", MODES[mode], config.resync, zone, probe=probe, login=login)
        for number, mode in enumerate(modes)
    ]
    stack = cdk.Stack(app, "nodeway-dev-monitoring", env=WHERE)
    Monitoring(
        stack,
        PART_ID,
        name="nodeway-dev",
        clusters=clusters,
        topic_arn=config.alarm_topic_arn,
        email=config.alarm_email,
        node_metrics=config.node_metrics,
    )
    assembly = app.synth()
    template = json.dumps(assembly.get_stack_by_name(stack.stack_name).template)
    return Shown(Synthesis(assembly, {"monitoring": json.loads(template)}))


def monitored(
    app: cdk.App,
    name: str,
    mode: ProxyMode,
    schedule: Mode,
    zone: str | None,
    *,
    probe: bool,
    login: bool,
) -> Monitored:
    """A cluster of which there is only what is monitored."""
    label = f"{name}{mode.suffix}"
    stack = cdk.Stack(app, f"nodeway-dev-{label}", env=WHERE)
    coordinator = probe and lambda_.Function(
        stack,
        "Watch",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handle",
        code=lambda_.Code.from_inline("def handle(*_): ..."),
    )
    return Monitored(
        label=label,
        zone_name=zone or f"{name}.{ZONE}",
        mode=mode,
        ecs_cluster_arn=f"arn:aws:ecs:us-east-1:111122223333:cluster/{label}",
        schedule=schedule,
        failed_events=sqs.Queue(stack, "Failures"),
        coordinator=coordinator or None,
        probe_logs_in=login,
    )
