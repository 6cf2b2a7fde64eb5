"""One HAProxy per ElastiCache node: a Fargate service each, in one ECS cluster, with what they share made once.

A service, its task definition and its construct are named after the node's cache cluster id, so that
nodes that come and go never
replace another's service.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from constructs import Construct

from haproxy_templates.render import HaproxySpec
from resync.ecs import NODE_TAG, STAND_IN_TAG
from stacks.config import ClusterConfig, EnvironmentConfig, Subnet
from stacks.review import acknowledge
from stacks.task import haproxy_task
from stacks.topology import KnownNode, KnownTopology

GRACE_SECONDS = 30
"""How long a stopping HAProxy still accepts: the event, the run, Route 53's propagation and the records' TTL fit in."""
DRAIN_SECONDS = 60


class NodeProxy(Construct):
    """The HAProxy of one node: its task definition and its service."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        node: KnownNode,
        fleet: "HaproxyStack",
        environment: EnvironmentConfig,
        spec: HaproxySpec,
    ) -> None:
        super().__init__(scope, construct_id)
        task = haproxy_task(
            self,
            fleet=fleet,
            environment=environment,
            spec=spec,
            node=node.hostname,
            stream_prefix=node.cache_cluster_id,
        )
        cdk.Tags.of(task).add(NODE_TAG, node.hostname)
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=fleet.cluster,
            task_definition=task,
            desired_count=environment.haproxies_per_node,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            assign_public_ip=False,
            security_groups=[fleet.security_group],
            vpc_subnets=ec2.SubnetSelection(subnets=fleet.subnets),
            propagate_tags=ecs.PropagatedTagSource.TASK_DEFINITION,
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED,
        )
        cdk.Tags.of(self.service).add(NODE_TAG, node.hostname)
        # a task that may not write its log yet fails to start, and counts for the circuit breaker
        self.service.node.add_dependency(fleet.execution_role)


class StandIn(Construct):
    """What resync needs to run a HAProxy for a node that this deploy does not know (`lambda/resync/stand_ins.py`)."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        fleet: "HaproxyStack",
        environment: EnvironmentConfig,
        spec: HaproxySpec,
        vpc: ec2.IVpc,
        cluster: ClusterConfig,
    ) -> None:
        super().__init__(scope, construct_id)
        self.fleet = fleet
        self.parking = route53.PrivateHostedZone(
            self,
            "Parking",
            zone_name=f"{cluster.replication_group_id}.{environment.name}.nodeway.internal",
            vpc=vpc,
            comment="where stand-ins find their nodes; records by nodeway resync",
        )
        # the name is replaced by RunTask's override; without one the task leads nowhere
        self.task = haproxy_task(
            self,
            fleet=fleet,
            environment=environment,
            spec=spec,
            node=f"unnamed.{self.parking.zone_name}",
            stream_prefix="stand-in",
        )

    def settings(self) -> dict[str, Any]:
        """What the resync function is told; `resync.settings.StandInSettings` reads it."""
        return {
            # the family, since an export that has a revision in it could never be updated
            "task_definition": self.task.family,
            "subnets": [subnet.subnet_id for subnet in self.fleet.subnets],
            "security_group": self.fleet.security_group.security_group_id,
            "parking_zone_id": self.parking.hosted_zone_id,
            "parking_zone_name": self.parking.zone_name,
        }

    def revisions_arn(self) -> str:
        """The ARN pattern of the stand-in's task definition, whatever revision it has."""
        return cdk.Stack.of(self).format_arn(
            service="ecs", resource="task-definition", resource_name=f"{self.task.family}:*"
        )

    def grant_run(self, grantee: iam.IGrantable) -> None:
        """Lets the grantee start, tag and stop stand-ins of this fleet, and write the parking zone. Nothing else."""
        tasks = self.fleet.tasks_arn()
        ours = {"StringEquals": {f"aws:ResourceTag/{STAND_IN_TAG}": "true"}}
        in_cluster = {"ArnEquals": {"ecs:cluster": self.fleet.cluster.cluster_arn}}
        zone_arn = self.parking.hosted_zone_arn
        keys = "route53:ChangeResourceRecordSets"
        for statement in (
            iam.PolicyStatement(
                sid="RunStandIns",
                actions=["ecs:RunTask"],
                resources=[self.revisions_arn()],
                conditions=in_cluster,
            ),
            iam.PolicyStatement(
                sid="TagNewStandIns",
                actions=["ecs:TagResource"],
                resources=[tasks],
                conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
            ),
            # no other task can be made one of ours by a tag
            iam.PolicyStatement(
                sid="RetireStandIns",
                actions=["ecs:StopTask", "ecs:TagResource"],
                resources=[tasks],
                conditions=ours,
            ),
            iam.PolicyStatement(
                sid="PassTaskRoles",
                actions=["iam:PassRole"],
                resources=[self.fleet.task_role.role_arn, self.fleet.execution_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
            iam.PolicyStatement(
                sid="ReadParking", actions=["route53:ListResourceRecordSets"], resources=[zone_arn]
            ),
            iam.PolicyStatement(
                sid="WriteParking",
                actions=["route53:ChangeResourceRecordSets"],
                resources=[zone_arn],
                conditions={
                    "ForAllValues:StringEquals": {
                        f"{keys}RecordTypes": ["A", "CNAME"],
                        f"{keys}Actions": ["CREATE", "DELETE"],
                    },
                    "ForAllValues:StringLike": {
                        f"{keys}NormalizedRecordNames": [f"*.{self.parking.zone_name}"]
                    },
                },
            ),
        ):
            grantee.grant_principal.add_to_principal_policy(statement)


class HaproxyStack(cdk.Stack):
    """The fleet of one cluster: what the HAProxies share, and one `NodeProxy` a node."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        cluster: ClusterConfig,
        topology: KnownTopology,
        **stack: Any,  # noqa: ANN401 (Stack's own keyword arguments)
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "ProxyVpc",
            vpc_id=environment.proxy_vpc.vpc_id,
            availability_zones=sorted({s.availability_zone for s in environment.proxy_vpc.subnets}),
        )
        self.subnets = [known_subnet(self, subnet) for subnet in environment.proxy_vpc.subnets]
        self.cluster = ecs.Cluster(self, "Cluster", vpc=vpc)
        acknowledge(
            self.cluster,
            "ECS4",
            "Container Insights is priced per task; ECS' own service metrics and the resync alarms serve",
        )
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        tasks = iam.ServicePrincipal(
            "ecs-tasks.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": environment.account}},
        )
        self.task_role = iam.Role(
            self, "TaskRole", assumed_by=tasks, description="HAProxy tasks: no permission at all"
        )
        self.execution_role = iam.Role(
            self, "ExecutionRole", assumed_by=tasks, description="Writes the HAProxies' logs"
        )
        self.log_group.grant_write(self.execution_role)
        self.security_group = self._security_group(vpc, environment, cluster, topology.port)
        spec = HaproxySpec(
            client_cidrs=environment.client_cidrs,
            port=topology.port,
            memory_mib=environment.memory,
            grace_seconds=GRACE_SECONDS,
            drain_seconds=DRAIN_SECONDS,
        )
        self.stand_in = StandIn(
            self,
            "StandIn",
            fleet=self,
            environment=environment,
            spec=spec,
            vpc=vpc,
            cluster=cluster,
        )
        nodes = Construct(self, "Nodes")
        self.proxies = [
            NodeProxy(
                nodes,
                node.cache_cluster_id,
                node=node,
                fleet=self,
                environment=environment,
                spec=spec,
            )
            for node in topology.nodes
        ]
        cdk.CfnOutput(self, "EcsCluster", value=self.cluster.cluster_name)

    def tasks_arn(self) -> str:
        """The ARN pattern of this cluster's tasks, for another stack's policy."""
        name = self.export_value(self.cluster.cluster_name, name=f"{self.stack_name}:Tasks")
        return self.format_arn(service="ecs", resource="task", resource_name=f"{name}/*")

    def _security_group(
        self, vpc: ec2.IVpc, environment: EnvironmentConfig, cluster: ClusterConfig, port: int
    ) -> ec2.SecurityGroup:
        """Clients in on the node's port and nothing else; out to the nodes, the resolver, and HTTPS
        for image and logs.
        """
        group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, allow_all_outbound=False, description="HAProxies"
        )
        for client in environment.client_vpcs:
            group.add_ingress_rule(
                ec2.Peer.ipv4(str(client.cidr)), ec2.Port.tcp(port), f"clients of {client.vpc_id}"
            )
        anywhere = ec2.Peer.any_ipv4()
        group.add_egress_rule(anywhere, ec2.Port.tcp(port), "the nodes")
        group.add_egress_rule(anywhere, ec2.Port.tcp(443), "image and logs")
        if cluster.cache_security_group_id:
            ec2.CfnSecurityGroupIngress(
                self,
                "CacheIngress",
                group_id=cluster.cache_security_group_id,
                source_security_group_id=group.security_group_id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description="HAProxies to the nodes",
            )
        return group


def known_subnet(scope: Construct, subnet: Subnet) -> ec2.ISubnet:
    """A subnet that is there already."""
    known = ec2.Subnet.from_subnet_attributes(
        scope,
        subnet.subnet_id,
        subnet_id=subnet.subnet_id,
        availability_zone=subnet.availability_zone,
    )
    cdk.Annotations.of(known).acknowledge_warning(
        "@aws-cdk/aws-ec2:noSubnetRouteTableId", "no route is made in it"
    )
    return known
