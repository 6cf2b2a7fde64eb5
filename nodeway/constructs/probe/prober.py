"""The probe's function in a client VPC. It reaches the proxies, and no AWS endpoint except that of its secret."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from nodeway.constructs.elasticache import iam_login
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.probe.login import ProbeLogin
from nodeway.constructs.proxies.settings import ClientNetwork, ProxiedCluster
from nodeway.constructs.runtime_function import role_policy, runtime_function
from nodeway.constructs.tokens import plain_id

SECONDS = 60
"""Timeout of a run: the period of the schedule."""
MIB = 1024
"""Lambda allots CPU by memory, and 500 TLS handshakes need it: docs/probe.md has the figures."""
ONCE_A_MINUTE = {"retry_attempts": 0, "max_event_age": cdk.Duration.minutes(1)}
"""Options of a function that does not retry a failed run, as the next one is in a minute."""
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
"""Permissions of a function in a VPC: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"""


class Prober(Construct):
    """Traces one cluster's names from one client VPC."""

    def __init__(
        self,
        scope: Construct,
        *,
        vpc_id: str,
        client: ClientNetwork,
        cluster: ProxiedCluster,
        fleet_group_id: str,
        login: ProbeLogin,
        layer: lambda_.ILayerVersion,
    ) -> None:
        super().__init__(scope, plain_id(vpc_id, "Walk"))
        port, zone_name = cluster.topology.port, cluster.topology.zone_name
        variables = {
            "ZONE_NAME": zone_name,
            "PORT": str(port),
            "CLIENT": vpc_id,
            "REPLICATION_GROUP_ID": cluster.replication_group_id,
        }
        if login.secret_arn:
            variables["LOGIN_SECRET_ARN"] = login.secret_arn
        if login.iam_username:
            variables["IAM_USERNAME"] = login.iam_username
        self.function = runtime_function(
            self,
            "Function",
            ids="Function",
            handler="prober",
            description=f"Walks {zone_name} from {vpc_id}",
            variables=variables,
            layer=layer,
            memory_mib=MIB,
            timeout=cdk.Duration.seconds(SECONDS),
            **ONCE_A_MINUTE,
        )
        self._grant(cluster.replication_group_id, login)
        ports = {port: "the proxies"} | ({443: "its secret"} if login.secret_arn else {})
        group = self._security_group(vpc_id, ports)
        if client.security_group_ids:
            # without groups, the whole range of the VPC may connect
            ec2.CfnSecurityGroupIngress(
                self,
                "Ingress",
                group_id=fleet_group_id,
                source_security_group_id=group,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=f"the probe in {vpc_id}",
            )
        resource = self.function.node.default_child
        if isinstance(resource, lambda_.CfnFunction):
            resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(client.probe_subnet_ids), security_group_ids=[group]
            )

    def _grant(self, replication_group_id: str, login: ProbeLogin) -> None:
        """Permits the function to be in a VPC, and to log in."""
        add = self.function.add_to_role_policy
        add(iam.PolicyStatement(sid="Vpc", actions=NETWORK_INTERFACES, resources=["*"]))
        reason = "Lambda makes network interfaces, which have no names before"
        acknowledge(role_policy(self.function), "IAM5[Resource::*]", reason)
        if login.secret_arn:
            add(
                iam.PolicyStatement(
                    sid="Login",
                    actions=["secretsmanager:GetSecretValue"],
                    resources=[login.secret_arn],
                )
            )
        # the permissions are Lambda's, not the code's; it is a separate policy, as it references the function
        deny_own_code = iam.Policy(
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
            deny_own_code.attach_to_role(self.function.role)
        if login.iam_username:
            add(iam_login(self, "Login", replication_group_id, login.iam_username))

    def _security_group(self, vpc_id: str, ports: dict[int, str]) -> str:
        """Creates a group with egress on these ports, and without ingress. Returns its id."""
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
            vpc_id=vpc_id,
            security_group_egress=rules,
        ).attr_group_id
