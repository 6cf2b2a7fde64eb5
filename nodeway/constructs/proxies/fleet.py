"""What the proxies of one cluster share, whichever they are: network, ECS cluster, roles, log group, security group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from nodeway.config.model import ClusterConfig, EnvironmentConfig
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.network.network import ProxyNetwork, known_network
from nodeway.lookup.topology import KnownTopology


@dataclass(frozen=True, slots=True)
class Kind:
    """What the proxies of a fleet are: their name for a person, their image, and the TCP ports that they listen on.

    `may`: what a task of theirs may do in AWS, for the description of its role.
    """

    one: str
    several: str
    image: str
    ports: Sequence[int]
    may: str = "no permission at all"


class FleetStack(cdk.Stack):
    """Where the proxies of one cluster run, what they may do, and who may connect to them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        cluster: ClusterConfig,
        topology: KnownTopology,
        network: ProxyNetwork | None,
        kind: Kind,
        **stack: Any,  # noqa: ANN401 (Stack's own keyword arguments)
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        self.config = environment
        self.network = network or known_network(self, "ProxyVpc", environment)
        self.cluster = ecs.Cluster(self, "Cluster", vpc=self.network.vpc)
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
            self,
            "TaskRole",
            assumed_by=tasks,
            description=f"{kind.one} tasks: {kind.may}",
        )
        self.execution_role = iam.Role(
            self,
            "ExecutionRole",
            assumed_by=tasks,
            description=f"Pulls the image, writes the {kind.several}' logs",
        )
        self.log_group.grant_write(self.execution_role)
        grant_pull(self.execution_role, kind.image)
        self.security_group = self._security_group(cluster, topology.port, kind)
        # read once, not once a node: each is a call into the CDK's own process
        self.cluster_name = self.cluster.cluster_name
        self.group_id = self.security_group.security_group_id
        self.log_group_name = self.log_group.log_group_name
        self.execution_role_arn = self.execution_role.role_arn
        self.task_role_arn = self.task_role.role_arn
        cdk.CfnOutput(self, "EcsCluster", value=self.cluster.cluster_name)

    def tasks_arn(self) -> str:
        """The ARN pattern of this cluster's tasks, for another stack's policy."""
        name = self.export_value(self.cluster.cluster_name, name=f"{self.stack_name}:Tasks")
        return self.format_arn(service="ecs", resource="task", resource_name=f"{name}/*")

    def _security_group(self, cluster: ClusterConfig, port: int, kind: Kind) -> ec2.SecurityGroup:
        """Clients in on the proxies' ports and nothing else; out to the nodes, the resolver, and HTTPS
        for image and logs.
        """
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self.network.vpc,
            allow_all_outbound=False,
            description=kind.several,
        )
        for peer, who in clients_of(self.config):
            for listening in kind.ports:
                group.add_ingress_rule(peer, ec2.Port.tcp(listening), who)
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
                description=f"{kind.several} to the nodes",
            )
        return group


def clients_of(environment: EnvironmentConfig) -> list[tuple[ec2.IPeer, str]]:
    """Who may connect, and how the rule is described: a VPC's groups where they are given, else its range."""
    found: dict[str, tuple[ec2.IPeer, str]] = {}
    for vpc in environment.client_vpcs:
        who = f"clients of {vpc.vpc_id}"
        for group in vpc.security_group_ids:
            found[group] = (ec2.Peer.security_group_id(group, vpc.account), who)
        if not vpc.security_group_ids:
            found[str(vpc.cidr)] = (ec2.Peer.ipv4(str(vpc.cidr)), who)
    if environment.on_premises:
        for cidr in environment.on_premises.cidrs:
            found[str(cidr)] = (ec2.Peer.ipv4(str(cidr)), "clients on premises")
    return list(found.values())


def grant_pull(role: iam.Role, image: str) -> None:
    """Lets the role pull an image of a private ECR repository; any other registry needs no permission."""
    registry, _, rest = image.partition("/")
    match registry.split("."):
        case [account, "dkr", "ecr", region, *_]:
            name = rest.partition("@")[0].partition(":")[0]
            where = cdk.Stack.of(role)
            arn = where.format_arn(
                service="ecr",
                account=account,
                region=region,
                resource="repository",
                resource_name=name,
            )
            repository = ecr.Repository.from_repository_attributes(
                role, "Image", repository_arn=arn, repository_name=name
            )
            repository.grant_pull(role)
            acknowledge(
                role.node.find_child("DefaultPolicy"),
                "IAM5[Resource::*]",
                "ecr:GetAuthorizationToken takes no resource",
            )
