"""The probe: a function in each client's VPC that walks every name, and one outside that knows AWS and sends it.

The first has no way to an AWS endpoint and needs none, but for a secret that it may read; the second has no way to the
proxies. So a client's VPC stays as isolated as it is.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from nodeway.constructs.nag import acknowledge
from nodeway.constructs.powertools import powertools_layer
from nodeway.constructs.probe.login import ProbeLogin
from nodeway.constructs.probe.prober import ONCE_A_MINUTE, SECONDS, Prober
from nodeway.constructs.proxies.fleet import Fleet
from nodeway.constructs.proxies.settings import ClientNetwork, ProxiedCluster
from nodeway.constructs.records.grants import grant_task_reads, grant_topology_reads
from nodeway.constructs.records.resync import Resync
from nodeway.constructs.records.zone import ClientsZone
from nodeway.constructs.runtime_function import role_policy, runtime_function

OF_THE_RESYNC_ONLY = ("STAND_IN", "MAX_STAND_INS", "APPROVE", "TAKE_OVER")
"""Variables of the resync that mean something to one who changes the zone."""
READ_SECONDS = 20
"""What reading the map takes at most, beside the walk."""


def probed_networks(clients: Sequence[ClientNetwork]) -> dict[str, ClientNetwork]:
    """The client VPCs that get a probe, by id: one each, also where a VPC with two ranges stands there twice."""
    found: dict[str, ClientNetwork] = {}
    for client in clients:
        if client.vpc_id and client.probe_subnet_ids:
            before = found.get(client.vpc_id, client)
            found[client.vpc_id] = replace(
                client,
                probe_subnet_ids=union(before.probe_subnet_ids, client.probe_subnet_ids),
                security_group_ids=union(before.security_group_ids, client.security_group_ids),
            )
    return found


def union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Both without repeats, in order."""
    return tuple(dict.fromkeys((*one, *other)))


class Probe(Construct):
    """The probe of one cluster. `coordinator`: the function that runs each minute, and answers the dashboard's
    widget.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: ProxiedCluster,
        fleet: Fleet,
        zone: ClientsZone,
        resync: Resync,
        login: ProbeLogin,
    ) -> None:
        super().__init__(scope, construct_id)
        layer = powertools_layer(self, "Powertools")
        probers = [
            Prober(
                self,
                vpc_id=vpc_id,
                client=client,
                cluster=cluster,
                fleet_group_id=fleet.security_group_id,
                login=login,
                layer=layer,
            ).function
            for vpc_id, client in probed_networks(cluster.clients).items()
        ]
        own = {
            "GROUP": cluster.replication_group_id,
            "WALKERS": ",".join(prober.function_name for prober in probers),
            "PROXY_LOGS": fleet.log_group_name,
            "NODE_METRICS": json.dumps(cluster.settings.node_metrics),
        }
        shared = {k: v for k, v in resync.variables.items() if k not in OF_THE_RESYNC_ONLY}
        self.coordinator = runtime_function(
            self,
            "Watch",
            ids="Watch",
            handler="coordinator",
            description=f"Has the paths of {zone.zone_name} walked",
            variables=shared | own,
            layer=layer,
            memory_mib=512,
            timeout=cdk.Duration.seconds(SECONDS + READ_SECONDS),
            **ONCE_A_MINUTE,
        )
        for prober in probers:
            prober.grant_invoke(self.coordinator)
            acknowledge_invoke(self.coordinator, prober)
        grant_topology_reads(self.coordinator, cluster.replication_group_id)
        grant_task_reads(self.coordinator, fleet)
        zone.grant_read(self.coordinator)
        self.coordinator.add_to_role_policy(
            iam.PolicyStatement(
                sid="ProxyLogs",
                actions=["logs:FilterLogEvents"],
                # the reference has it without the end that a log group's ARN has elsewhere
                resources=[
                    fleet.log_group.log_group_arn,
                    cdk.Stack.of(self).format_arn(
                        service="logs",
                        resource="log-group",
                        resource_name=fleet.log_group_name,
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    ),
                ],
            )
        )
        events.Rule(
            self,
            "EveryMinute",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[targets.LambdaFunction(self.coordinator)],
        )
        cdk.CfnOutput(self, "ProbeFunction", value=self.coordinator.function_name)


def acknowledge_invoke(function: lambda_.Function, invoked: lambda_.Function) -> None:
    """Accepts cdk-nag's finding about the right to invoke another function in any version."""
    logical = cdk.Stack.of(invoked).get_logical_id(invoked.node.default_child)  # type: ignore[arg-type]  # is one
    acknowledge(
        role_policy(function),
        f"IAM5[Resource::<{logical}.Arn>:*]",
        "a version of the probe's own function",
    )
