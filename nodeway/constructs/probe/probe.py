"""The probe: a function in each client's VPC that walks every name, and one outside that knows AWS and sends it.

The first has no way to an AWS endpoint and needs none, but for a secret that it may read; the second has no way to the
proxies. So a client's VPC stays as isolated as it is.
"""

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from nodeway.config.model import ClientVpc, ClusterConfig, EnvironmentConfig
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.probe.prober import SECONDS, Walker, probe_function
from nodeway.constructs.proxies.fleet import FleetStack
from nodeway.constructs.records.function import (
    ResyncStack,
    grant_task_reads,
    grant_topology_reads,
    role_policy,
)
from nodeway.constructs.records.powertools import powertools_layer
from nodeway.constructs.records.zone import DnsStack
from nodeway.lookup.topology import KnownTopology

OF_THE_RESYNC_ONLY = ("STAND_IN", "MAX_STAND_INS", "APPROVE", "TAKE_OVER")
"""Variables of the resync that mean something to one who changes the zone."""
READ_SECONDS = 20
"""What reading the map takes at most, beside the walk."""


def probed_vpcs(environment: EnvironmentConfig) -> tuple[ClientVpc, ...]:
    """The clients' VPCs that get a probe: one each, also where a VPC with two ranges stands there twice."""
    found: dict[str, ClientVpc] = {}
    for vpc in environment.client_vpcs:
        if vpc.probe_subnet_ids:
            before = found.get(vpc.vpc_id, vpc)
            both = {
                key: tuple(dict.fromkeys((*getattr(before, key), *getattr(vpc, key))))
                for key in ("probe_subnet_ids", "security_group_ids")
            }
            found[vpc.vpc_id] = vpc.model_copy(update=both)
    return tuple(found.values())


class ProbeStack(cdk.Stack):
    """The probe of one cluster. `watch`: the function that runs each minute, and answers the dashboard's widget."""

    def __init__(
        self,
        scope: cdk.App,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        cluster: ClusterConfig,
        topology: KnownTopology,
        fleet: FleetStack,
        dns: DnsStack,
        resync: ResyncStack,
        **stack: Any,  # noqa: ANN401 (Stack's own keyword arguments)
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        layer = powertools_layer(self, "Powertools")
        walkers = [
            Walker(
                self,
                vpc=vpc,
                cluster=cluster,
                topology=topology,
                fleet=fleet,
                dns=dns,
                layer=layer,
            ).function
            for vpc in probed_vpcs(environment)
        ]
        own = {
            "GROUP": cluster.replication_group_id,
            "WALKERS": ",".join(walker.function_name for walker in walkers),
            "PROXY_LOGS": fleet.log_group_name,
            "NODE_METRICS": json.dumps(environment.node_metrics),
        }
        shared = {k: v for k, v in resync.variables.items() if k not in OF_THE_RESYNC_ONLY}
        self.watch = probe_function(
            self,
            "Watch",
            handler="nodeway_runtime.functions.coordinator.handle",
            description=f"Has the paths of {dns.zone_name} walked",
            variables=shared | own,
            layer=layer,
            mib=512,
            seconds=SECONDS + READ_SECONDS,
        )
        for walker in walkers:
            walker.grant_invoke(self.watch)
        grant_topology_reads(self.watch, cluster)
        grant_task_reads(self.watch, fleet)
        dns.grant_read(self.watch)
        self.watch.add_to_role_policy(
            iam.PolicyStatement(
                sid="ProxyLogs",
                actions=["logs:FilterLogEvents"],
                # the reference has it without the end that a log group's ARN has elsewhere
                resources=[
                    fleet.log_group.log_group_arn,
                    self.format_arn(
                        service="logs",
                        resource="log-group",
                        resource_name=fleet.log_group_name,
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    ),
                ],
            )
        )
        acknowledge_reads(self.watch, environment, walkers)
        events.Rule(
            self,
            "EveryMinute",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[targets.LambdaFunction(self.watch)],
        )
        cdk.CfnOutput(self, "ProbeFunction", value=self.watch.function_name)


def acknowledge_reads(
    function: lambda_.Function, environment: EnvironmentConfig, walkers: list[lambda_.Function]
) -> None:
    """The reads whose resources have no narrower form."""
    policy = role_policy(function)
    acknowledge(
        policy,
        "IAM5[Resource::*]",
        "tasks have no names before they run; ecs:cluster limits it",
    )
    where = f"{environment.region}:{environment.account}"
    acknowledge(
        policy,
        f"IAM5[Resource::arn:<AWS::Partition>:elasticache:{where}:cluster:*]",
        "DescribeCacheClusters has no filter by group",
    )
    for walker in walkers:
        logical = cdk.Stack.of(walker).get_logical_id(walker.node.default_child)  # type: ignore[arg-type]  # is one
        acknowledge(
            policy,
            f"IAM5[Resource::<{logical}.Arn>:*]",
            "a version of the probe's own function",
        )
