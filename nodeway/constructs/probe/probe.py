"""The probe: a prober function in each client VPC, and a coordinator outside of VPCs that invokes it each minute.

The prober traces every name, and reaches no AWS endpoint except that of its secret. The coordinator reads AWS, and
reaches no proxy. So the probe needs no further routes in client VPCs.
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

WRITE_VARIABLES = ("STAND_IN", "MAX_STAND_INS", "APPROVE", "TAKE_OVER")
"""Variables of the resync that only apply to changes, which the coordinator does not make."""
READ_SECONDS = 20
"""Maximum time for the coordinator's reads, beside the traces."""


def find_probed_networks(clients: Sequence[ClientNetwork]) -> dict[str, ClientNetwork]:
    """Returns the client networks with a probe by VPC id. Networks of the same VPC are merged."""
    networks: dict[str, ClientNetwork] = {}
    for client in clients:
        if client.vpc_id and client.probe_subnet_ids:
            same = networks.get(client.vpc_id, client)
            networks[client.vpc_id] = replace(
                client,
                probe_subnet_ids=merge(same.probe_subnet_ids, client.probe_subnet_ids),
                security_group_ids=merge(same.security_group_ids, client.security_group_ids),
            )
    return networks


def merge(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the values of both in their order, without repeats."""
    return tuple(dict.fromkeys((*first, *second)))


class Probe(Construct):
    """The probe of one cluster. `coordinator`: the function that also answers the dashboard's custom widget."""

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
            for vpc_id, client in find_probed_networks(cluster.clients).items()
        ]
        variables = {
            "GROUP": cluster.replication_group_id,
            "WALKERS": ",".join(prober.function_name for prober in probers),
            "PROXY_LOGS": fleet.log_group_name,
            "NODE_METRICS": json.dumps(cluster.settings.node_metrics),
        }
        shared = {k: v for k, v in resync.variables.items() if k not in WRITE_VARIABLES}
        self.coordinator = runtime_function(
            self,
            "Watch",
            ids="Watch",
            handler="coordinator",
            description=f"Has the paths of {zone.zone_name} walked",
            variables=shared | variables,
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
                # FilterLogEvents applies to the ARN of a log group without the suffix `:*`
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
    """Acknowledges cdk-nag's finding about the permission to invoke any version of another function."""
    logical = cdk.Stack.of(invoked).get_logical_id(invoked.node.default_child)  # type: ignore[arg-type]  # is one
    acknowledge(
        role_policy(function),
        f"IAM5[Resource::<{logical}.Arn>:*]",
        "a version of the probe's own function",
    )
