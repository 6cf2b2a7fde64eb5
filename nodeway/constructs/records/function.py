"""The resync function, what wakes it, and the run that ends every deployment."""

import hashlib
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.proxies.fleet import FleetStack
from nodeway.constructs.proxies.haproxy import HaproxyStack
from nodeway.constructs.records.powertools import powertools_layer
from nodeway.constructs.records.stand_in import StandIn
from nodeway.constructs.records.triggers import Triggers
from nodeway.constructs.records.zone import DnsStack
from nodeway.haproxy.render import TEMPLATES
from nodeway.lookup.topology import KnownTopology
from nodeway_runtime.model.settings import Mode

SOURCE = Path(__file__).resolve().parents[3] / "lambda"
NOT_CODE = ["**/__pycache__", "**/*.pyc", "*.egg-info"]
TIMEOUT = cdk.Duration.minutes(10)
"""For the deployment's run, which waits for the last HAProxy to become healthy; a scheduled run takes seconds."""


class ResyncStack(cdk.Stack):
    """Keeps one zone's records true: function, permissions, triggers, and the deployment's own run.

    `fleet_name`: the one name that leads to all proxies of the fleet; None: each node has its own, and its own HAProxy.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        cluster: ClusterConfig,
        topology: KnownTopology,
        fleet: FleetStack,
        dns: DnsStack,
        fleet_name: str | None = None,
        **stack: Any,  # noqa: ANN401 (Stack's own keyword arguments)
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        self.fleet_name = fleet_name
        self.mode = environment.resync
        self.failures = sqs.Queue(
            self,
            "Failures",
            retention_period=cdk.Duration.days(14),
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
        )
        # here and not with the fleet: a bad change fails at the nodes' own services and never gets to the stand-ins
        self.stand_in = (
            StandIn(self, "StandIn", fleet=fleet, cluster=cluster)
            if isinstance(fleet, HaproxyStack) and cluster.by_node
            else None
        )
        self.variables = {
            "REPLICATION_GROUP_ID": cluster.label,
            "HOSTED_ZONE_ID": dns.zone.hosted_zone_id,
            "ZONE_NAME": dns.zone_name,
            "ECS_CLUSTER": fleet.cluster.cluster_name,
            "TTL_SECONDS": str(environment.ttl),
            "RESYNC": environment.resync.value,
            "PINS": json.dumps(pins_of(environment, dns.zone_name), sort_keys=True),
            "OWNER": owner(environment, cluster),
            "APPROVE": environment.approve,
            "TAKE_OVER": "true" if environment.take_over else "false",
            **self._way(environment, cluster, fleet),
        }
        self.function = self._function(dns)
        if self.stand_in:
            grant_topology_reads(self.function, cluster)
        grant_task_reads(self.function, fleet)
        dns.grant_sync(self.function)
        if self.stand_in:
            self._grant_stand_ins(self.stand_in, environment, fleet)
        acknowledge(self.failures, "SQS3", "it is itself where the function's failed events end")
        acknowledge(
            role_policy(self.function),
            "IAM5[Resource::*]",
            "tasks have no names before they run; ecs:cluster limits it",
        )
        deployed = self._run_at_the_end(environment, topology, dns)
        if environment.resync is not Mode.OFF:
            triggers = Triggers(
                self,
                "Triggers",
                function=self.function,
                ecs_cluster_arn=fleet.cluster.cluster_arn,
                follows_nodes=self.stand_in is not None,
            )
            # made last and removed first, so that none runs beside a teardown
            triggers.node.add_dependency(deployed)
        cdk.CfnOutput(self, "ResyncFunction", value=self.function.function_name)

    def _grant_stand_ins(
        self, stand_in: StandIn, environment: EnvironmentConfig, fleet: FleetStack
    ) -> None:
        """Lets the function run stand-ins for nodes that are new."""
        stand_in.grant_run(self.function)
        clusters = (
            f"arn:<AWS::Partition>:elasticache:{environment.region}:{environment.account}:cluster:*"
        )
        acknowledge(
            role_policy(self.function),
            f"IAM5[Resource::{clusters}]",
            "DescribeCacheClusters has no filter by group",
        )
        tasks = f"arn:<AWS::Partition>:ecs:{environment.region}:{environment.account}:task/{fleet.stack_name}:Tasks/*"
        acknowledge(
            role_policy(self.function),
            f"IAM5[Resource::{tasks}]",
            "stand-ins of our own cluster have no names before they run",
        )
        revisions = (
            f"arn:<AWS::Partition>:ecs:{environment.region}:{environment.account}"
            f":task-definition/{stand_in.task.family}:*"
        )
        acknowledge(
            role_policy(self.function),
            f"IAM5[Resource::{revisions}]",
            "the stand-in's own task definition, in whatever revision",
        )

    def _function(self, dns: DnsStack) -> lambda_.Function:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        log_group.grant_write(role)
        return lambda_.Function(
            self,
            "Function",
            description=f"Keeps the records of {dns.zone_name} true",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.X86_64,
            handler="nodeway_runtime.functions.resync.handle",
            code=lambda_.Code.from_asset(str(SOURCE), exclude=NOT_CODE),
            layers=[powertools_layer(self, "Powertools")],
            role=role,
            log_group=log_group,
            memory_size=256,
            timeout=TIMEOUT,
            # one run at a time: two could undo each other
            reserved_concurrent_executions=1,
            retry_attempts=2,
            max_event_age=cdk.Duration.minutes(10),
            on_failure=destinations.SqsDestination(self.failures),
            environment=self.variables,
        )

    def _way(
        self, environment: EnvironmentConfig, cluster: ClusterConfig, fleet: FleetStack
    ) -> dict[str, str]:
        """The settings in which the ways differ."""
        settings: dict[str, str] = {}
        if cluster in environment.shadowed:
            # where this VPC saw the zone, a proxy would resolve its node to itself
            settings["PROXY_VPC_ID"] = fleet.network.vpc_id
        if self.stand_in:
            settings["MAX_STAND_INS"] = str(environment.max_stand_ins)
            settings["STAND_IN"] = cdk.Stack.of(self).to_json_string(self.stand_in.settings())
        if self.fleet_name:
            settings["FLEET_NAME"] = self.fleet_name
        return settings

    def _run_at_the_end(
        self, environment: EnvironmentConfig, topology: KnownTopology, dns: DnsStack
    ) -> cdk.CustomResource:
        """A run after all services are stable; it fails the deployment if the records do not become true.

        It runs again whenever anything that it depends on is deployed differently.
        """
        # what only the deploy knows is hashed as the template's words for it
        what = self.resolve([environment.model_dump(mode="json"), topology.model_dump(mode="json")])
        code = [
            cdk.FileSystem.fingerprint(str(path), exclude=NOT_CODE) for path in (SOURCE, TEMPLATES)
        ]
        deployed = cdk.CustomResource(
            self,
            "Records",
            service_token=self.function.function_arn,
            resource_type="Custom::NodewayRecords",
            service_timeout=TIMEOUT,
            properties={
                "Deployed": hashlib.sha256(
                    json.dumps([what, code], sort_keys=True).encode()
                ).hexdigest()
            },
        )
        # and at its removal it runs before what it empties
        deployed.node.add_dependency(*([dns, self.stand_in] if self.stand_in else [dns]))
        return deployed


def grant_topology_reads(function: lambda_.Function, cluster: ClusterConfig) -> None:
    """The describes of the nodes, on the narrowest resource that each action takes."""
    where = cdk.Stack.of(function)
    function.add_to_role_policy(
        iam.PolicyStatement(
            sid="ReadTopology",
            actions=["elasticache:DescribeReplicationGroups", "elasticache:DescribeCacheClusters"],
            resources=[
                where.format_arn(
                    service="elasticache",
                    resource=kind,
                    resource_name=name,
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
                for kind, name in (
                    ("replicationgroup", cluster.replication_group_id),
                    ("cluster", "*"),
                )
            ],
        )
    )


def grant_task_reads(function: lambda_.Function, fleet: FleetStack) -> None:
    """The describes of the tasks, in this ECS cluster only."""
    function.add_to_role_policy(
        iam.PolicyStatement(
            sid="ReadTasks",
            actions=[
                "ecs:ListTasks",
                "ecs:DescribeTasks",
                "ecs:ListServices",
                "ecs:DescribeServices",
            ],
            resources=["*"],
            conditions={"ArnEquals": {"ecs:cluster": fleet.cluster.cluster_arn}},
        )
    )


def owner(environment: EnvironmentConfig, cluster: ClusterConfig) -> str:
    """Whose records they are: this environment's deployment for this cluster."""
    return f"nodeway/{environment.name}/{cluster.label}"


def pins_of(environment: EnvironmentConfig, zone_name: str) -> dict[str, list[str]]:
    """The pins whose names are in this zone."""
    return {
        name: list(values)
        for name, values in environment.pins.items()
        if name.endswith(f".{zone_name}")
    }


def role_policy(function: lambda_.Function) -> IConstruct:
    """The inline policy that the grants made."""
    if function.role is None:
        msg = "the function has no role"
        raise TypeError(msg)
    return function.role.node.find_child("DefaultPolicy")
