"""The resources that the proxies of one cluster share: ECS cluster, roles, log group, security group."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from nodeway.constructs.nag import acknowledge
from nodeway.constructs.proxies.settings import ClientNetwork, ProxiedCluster
from nodeway.constructs.proxies.task import TaskSettings


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a fleet's proxies: their name, their image, and the TCP ports that they listen on.

    `permissions`: the AWS permissions of a task, for the description of its role.
    """

    one: str
    several: str
    image: str
    ports: Sequence[int]
    permissions: str = "no permission at all"


class Fleet(Construct):
    """The shared resources of the proxies of one cluster."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: ProxiedCluster,
        kind: Kind,
    ) -> None:
        super().__init__(scope, construct_id)
        self.network = cluster.network
        self.vpc = self.network.vpc(self)
        self.cluster = ecs.Cluster(self, "Cluster", vpc=self.vpc)
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
        stack = cdk.Stack.of(self)
        tasks = iam.ServicePrincipal(
            "ecs-tasks.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
        )
        self.task_role = iam.Role(
            self,
            "TaskRole",
            assumed_by=tasks,
            description=f"{kind.one} tasks: {kind.permissions}",
        )
        self.execution_role = iam.Role(
            self,
            "ExecutionRole",
            assumed_by=tasks,
            description=f"Pulls the image, writes the {kind.several}' logs",
        )
        self.log_group.grant_write(self.execution_role)
        grant_pull(self.execution_role, kind.image)
        self.security_group = self._security_group(cluster, kind)
        # read once and not for each node, as each is a call into the CDK's process
        self.cluster_name = self.cluster.cluster_name
        self.security_group_id = self.security_group.security_group_id
        self.log_group_name = self.log_group.log_group_name
        self.task_settings = TaskSettings(
            cpu=cluster.settings.cpu,
            memory_mib=cluster.settings.memory_mib,
            region=stack.region,
            log_group_name=self.log_group_name,
            execution_role_arn=self.execution_role.role_arn,
            task_role_arn=self.task_role.role_arn,
        )
        cdk.CfnOutput(self, "EcsCluster", value=self.cluster_name)

    def tasks_arn(self, reader: IConstruct) -> str:
        """Returns the ARN pattern of the fleet's tasks, for a policy in the reader's stack."""
        stack = cdk.Stack.of(self)
        name = self.cluster.cluster_name
        if cdk.Stack.of(reader) is not stack:
            name = stack.export_value(name, name=tasks_export(stack))
        return stack.format_arn(service="ecs", resource="task", resource_name=f"{name}/*")

    def _security_group(self, cluster: ProxiedCluster, kind: Kind) -> ec2.SecurityGroup:
        """Creates the group: ingress of clients on the proxies' ports; egress to nodes, and to image and logs."""
        node_port = cluster.topology.port
        cache_group_id = cluster.settings.cache_security_group_id
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self.vpc,
            allow_all_outbound=False,
            description=kind.several,
        )
        for peer, description in list_peers(cluster.clients):
            for port in kind.ports:
                group.add_ingress_rule(peer, ec2.Port.tcp(port), description)
        anywhere = ec2.Peer.any_ipv4()
        group.add_egress_rule(anywhere, ec2.Port.tcp(node_port), "the nodes")
        group.add_egress_rule(anywhere, ec2.Port.tcp(443), "image and logs")
        if cache_group_id:
            ec2.CfnSecurityGroupIngress(
                self,
                "CacheIngress",
                group_id=cache_group_id,
                source_security_group_id=group.security_group_id,
                ip_protocol="tcp",
                from_port=node_port,
                to_port=node_port,
                description=f"{kind.several} to the nodes",
            )
        return group


def tasks_export(stack: cdk.Stack) -> str:
    """Returns the name of the export that has the ECS cluster's name, for ARN patterns of its tasks."""
    return f"{stack.stack_name}:Tasks"


def list_peers(clients: Sequence[ClientNetwork]) -> list[tuple[ec2.IPeer, str]]:
    """Returns the peer and the description of each ingress rule: the groups of a network, or its range without any."""
    peers: dict[str, tuple[ec2.IPeer, str]] = {}
    for client in clients:
        for group in client.security_group_ids:
            peer = ec2.Peer.security_group_id(group, client.account)
            peers[group] = (peer, client.description)
        if not client.security_group_ids:
            peers[client.cidr] = (ec2.Peer.ipv4(client.cidr), client.description)
    return list(peers.values())


def grant_pull(role: iam.Role, image: str) -> None:
    """Permits the role to pull an image of a private ECR repository. Images of other registries need no permission."""
    registry, _, rest = image.partition("/")
    match registry.split("."):
        case [account, "dkr", "ecr", region, *_]:
            name = rest.partition("@")[0].partition(":")[0]
            arn = cdk.Stack.of(role).format_arn(
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
