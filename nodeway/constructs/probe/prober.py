"""The probe's function in a client's VPC: it reaches the proxies, and no AWS endpoint but, by choice, its secret's."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from nodeway.config.model import ClientVpc, ClusterConfig
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.proxies.fleet import FleetStack
from nodeway.constructs.records.function import NOT_CODE, SOURCE, role_policy
from nodeway.constructs.records.zone import DnsStack
from nodeway.constructs.tokens import plain_id
from nodeway.lookup.topology import KnownTopology

SECONDS = 60
"""A run's time: the schedule's minute."""
MIB = 1024
"""Lambda gives CPU by memory, and 500 TLS handshakes need some: docs/probe.md has the figures."""
NETWORK_INTERFACES = [
    f"ec2:{action}"
    for action in (
        "CreateNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "DeleteNetworkInterface",
        "AssignPrivateIpAddresses",
        "UnassignPrivateIpAddresses",
    )
]
"""What Lambda needs to put a function into a VPC: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"""


class Walker(Construct):
    """Walks one cluster's names from one VPC."""

    def __init__(
        self,
        scope: Construct,
        *,
        vpc: ClientVpc,
        cluster: ClusterConfig,
        topology: KnownTopology,
        fleet: FleetStack,
        dns: DnsStack,
        layer: lambda_.ILayerVersion,
    ) -> None:
        super().__init__(scope, plain_id(vpc.vpc_id, "Walk"))
        variables = {
            "ZONE_NAME": dns.zone_name,
            "PORT": str(topology.port),
            "CLIENT": vpc.vpc_id,
            "REPLICATION_GROUP_ID": cluster.replication_group_id,
        }
        login = cluster.probe
        secret = login.secret_arn if login else None
        if login and secret:
            variables["LOGIN_SECRET_ARN"] = secret
        if login and login.iam_username:
            variables["IAM_USERNAME"] = login.iam_username
        self.function = probe_function(
            self,
            "Function",
            handler="nodeway_runtime.functions.prober.handle",
            description=f"Walks {dns.zone_name} from {vpc.vpc_id}",
            variables=variables,
            layer=layer,
            mib=MIB,
            seconds=SECONDS,
        )
        self._grant(cluster, secret)
        ports = {topology.port: "the proxies"} | ({443: "its secret"} if secret else {})
        group = self._security_group(vpc, ports)
        if vpc.security_group_ids:
            # else the VPC's whole range may connect
            ec2.CfnSecurityGroupIngress(
                self,
                "Ingress",
                group_id=fleet.group_id,
                source_security_group_id=group,
                ip_protocol="tcp",
                from_port=topology.port,
                to_port=topology.port,
                description=f"the probe in {vpc.vpc_id}",
            )
        resource = self.function.node.default_child
        if isinstance(resource, lambda_.CfnFunction):
            resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(vpc.probe_subnet_ids), security_group_ids=[group]
            )

    def _grant(self, cluster: ClusterConfig, secret: str | None) -> None:
        """To be in a VPC, and to log in; nothing else."""
        add = self.function.add_to_role_policy
        add(iam.PolicyStatement(sid="Vpc", actions=NETWORK_INTERFACES, resources=["*"]))
        reason = "Lambda makes network interfaces, which have no names before"
        acknowledge(role_policy(self.function), "IAM5[Resource::*]", reason)
        if secret:
            add(
                iam.PolicyStatement(
                    sid="Login", actions=["secretsmanager:GetSecretValue"], resources=[secret]
                )
            )
        # Lambda needs it, and the code does not: a policy of its own, since it names the function
        own = iam.Policy(
            self,
            "NotByItself",
            statements=[
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    actions=NETWORK_INTERFACES,
                    resources=["*"],
                    conditions={
                        "ArnEquals": {"lambda:SourceFunctionArn": self.function.function_arn}
                    },
                )
            ],
        )
        if self.function.role:
            own.attach_to_role(self.function.role)
        if cluster.probe and cluster.probe.iam_username:
            add(connect_as(cluster.probe.iam_username, cluster, cdk.Stack.of(self)))

    def _security_group(self, vpc: ClientVpc, ports: dict[int, str]) -> str:
        """Out on these ports, and nobody in."""
        rules = [
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                cidr_ip="0.0.0.0/0",
                description=what,
            )
            for port, what in ports.items()
        ]
        return ec2.CfnSecurityGroup(
            self,
            "SecurityGroup",
            group_description="the probe",
            vpc_id=vpc.vpc_id,
            security_group_egress=rules,
        ).attr_group_id


def probe_function(
    scope: Construct,
    construct_id: str,
    *,
    handler: str,
    description: str,
    variables: dict[str, str],
    layer: lambda_.ILayerVersion,
    mib: int,
    seconds: int,
) -> lambda_.Function:
    """A function of the probe with a log group and a role that may only write there."""
    role = iam.Role(
        scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
    )
    log_group = logs.LogGroup(
        scope,
        f"{construct_id}Logs",
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    log_group.grant_write(role)
    return lambda_.Function(
        scope,
        construct_id,
        description=description,
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.X86_64,
        handler=handler,
        code=lambda_.Code.from_asset(str(SOURCE), exclude=NOT_CODE),
        layers=[layer],
        role=role,
        log_group=log_group,
        memory_size=mib,
        timeout=cdk.Duration.seconds(seconds),
        # a run that failed is followed by the next one in a minute
        retry_attempts=0,
        max_event_age=cdk.Duration.minutes(1),
        environment=variables,
    )


def connect_as(username: str, cluster: ClusterConfig, where: cdk.Stack) -> iam.PolicyStatement:
    """The right to log in as an ElastiCache user, to this group.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
    """
    arns = [
        where.format_arn(
            service="elasticache",
            resource=kind,
            resource_name=name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        for kind, name in (
            ("replicationgroup", cluster.replication_group_id),
            ("user", username),
        )
    ]
    return iam.PolicyStatement(sid="Login", actions=["elasticache:Connect"], resources=arns)
