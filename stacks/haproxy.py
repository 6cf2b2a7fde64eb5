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
from constructs import Construct

from haproxy_templates.render import START_COMMAND, HaproxySpec, render
from resync.ecs import NODE_TAG
from stacks.config import ClusterConfig, EnvironmentConfig, Subnet
from stacks.review import acknowledge
from stacks.topology import KnownNode, KnownTopology

GRACE_SECONDS = 30
"""How long a stopping HAProxy still accepts: the event, the run, Route 53's propagation and the records' TTL fit in."""
DRAIN_SECONDS = 60
STOP_TIMEOUT_SECONDS = 120
"""Before SIGKILL; Fargate takes 2 to 120: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""


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
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=environment.cpu,
            memory_limit_mib=environment.memory,
            execution_role=fleet.execution_role.without_policy_updates(),
            task_role=fleet.task_role.without_policy_updates(),
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        task.add_container(
            "haproxy",
            image=ecs.ContainerImage.from_registry(environment.image),
            entry_point=["/bin/sh", "-c"],
            command=[START_COMMAND],
            environment={"HAPROXY_CFG": render(spec), "NODE_HOSTNAME": node.hostname},
            readonly_root_filesystem=True,
            user="haproxy",
            linux_parameters=no_capabilities(self),
            port_mappings=[ecs.PortMapping(container_port=spec.port)],
            ulimits=[
                ecs.Ulimit(
                    name=ecs.UlimitName.NOFILE,
                    soft_limit=spec.open_files,
                    hard_limit=spec.open_files,
                )
            ],
            # says that HAProxy lives, never that the node does: ECS must not replace proxies because a node is down
            health_check=ecs.HealthCheck(
                command=["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:8405/live || exit 1"],
                interval=cdk.Duration.seconds(5),
                timeout=cdk.Duration.seconds(2),
                retries=3,
                start_period=cdk.Duration.seconds(5),
            ),
            stop_timeout=cdk.Duration.seconds(STOP_TIMEOUT_SECONDS),
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix=node.cache_cluster_id, log_group=fleet.log_group
            ),
        )
        cdk.Tags.of(task).add(NODE_TAG, node.hostname)
        acknowledge(
            task,
            "ECS2",
            "the variables are the public configuration text and the node's name; nothing in them is secret",
        )
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
        # a task that may not write its log yet fails to start, and counts for the circuit breaker
        self.service.node.add_dependency(fleet.execution_role)


def no_capabilities(scope: Construct) -> ecs.LinuxParameters:
    """No Linux capability at all; HAProxy's port is above 1024."""
    parameters = ecs.LinuxParameters(scope, "Linux")
    parameters.drop_capabilities(ecs.Capability.ALL)
    return parameters


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
