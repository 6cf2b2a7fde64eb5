"""VPC endpoints, through which proxies without a route to the internet pull their image and write their logs.

In a new VPC the endpoints have policies that allow only these calls. In an existing VPC they have AWS's default
policies, as other workloads use them too.
"""

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from nodeway.config.model import EnvironmentConfig, ProxyVpc

ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com[a-z.]*/(?P<name>[^:@]+)"
)


class VpcEndpoints(Construct):
    """The configured endpoints of the proxies' VPC. `subnets` are the ids and zones of its subnets for proxies."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        proxy_vpc: ProxyVpc,
        vpc: ec2.IVpc,
        subnets: Sequence[tuple[str, str]],
        route_table_ids: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._vpc = vpc
        self._subnet_ids = one_per_zone(subnets)
        self._route_table_ids = list(route_table_ids)
        self._has_policies = proxy_vpc.is_new
        interfaces = [name for name in proxy_vpc.endpoints if name != "s3"]
        group = self._group(str(proxy_vpc.cidr)) if interfaces else None
        for name in proxy_vpc.endpoints:
            if group is None or name == "s3":
                self._gateway(name)
            else:
                self._interface(name, group)

    def _group(self, cidr: str) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self._vpc,
            allow_all_outbound=False,
            description="VPC endpoints",
        )
        group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), "the HAProxies' VPC")
        return group

    def _interface(self, name: str, group: ec2.SecurityGroup) -> None:
        ec2.CfnVPCEndpoint(
            self,
            name,
            vpc_endpoint_type="Interface",
            vpc_id=self._vpc.vpc_id,
            service_name=service_name(name),
            private_dns_enabled=True,
            security_group_ids=[group.security_group_id],
            subnet_ids=self._subnet_ids,
            policy_document=self._policy(name),
        )

    def _gateway(self, name: str) -> None:
        ec2.CfnVPCEndpoint(
            self,
            name,
            vpc_endpoint_type="Gateway",
            vpc_id=self._vpc.vpc_id,
            service_name=service_name(name),
            route_table_ids=self._route_table_ids,
            policy_document=self._policy(name),
        )

    def _policy(self, name: str) -> iam.PolicyDocument | None:
        if not self._has_policies:
            return None
        return iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    principals=[iam.StarPrincipal()], actions=actions, resources=resources
                )
                for actions, resources in allowed_calls(name, self._environment, cdk.Stack.of(self))
            ]
        )


def allowed_calls(
    name: str, environment: EnvironmentConfig, stack: cdk.Stack
) -> list[tuple[list[str], list[str]]]:
    """Returns the actions and resources that a proxy needs of the service with this endpoint.

    ECR and its bucket for layers: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
    """
    if name == "s3":
        bucket = f"prod-{environment.region}-starport-layer-bucket"
        return [(["s3:GetObject"], [f"arn:{stack.partition}:s3:::{bucket}/*"])]
    if name == "logs":
        groups = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        return [(["logs:CreateLogStream", "logs:PutLogEvents"], [groups])]
    if name == "ssm":
        parameters = stack.format_arn(service="ssm", resource="parameter", resource_name="*")
        return [(["ssm:GetParameter", "ssm:GetParameters"], [parameters])]
    return [
        (["ecr:GetAuthorizationToken"], ["*"]),
        (
            [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            [repository_arn(environment, stack.partition)],
        ),
    ]


def repository_arn(environment: EnvironmentConfig, partition: str) -> str:
    """Returns the ARN of the image's ECR repository, or of all repositories of the account for another image."""
    image = ECR_IMAGE.match(environment.image)
    if image is None:
        return f"arn:{partition}:ecr:{environment.region}:{environment.account}:repository/*"
    return f"arn:{partition}:ecr:{image['region']}:{image['account']}:repository/{image['name']}"


def service_name(name: str) -> str:
    """Returns the name of the endpoint service in the stack's Region."""
    return ec2.InterfaceVpcEndpointAwsService(name).name


def one_per_zone(subnets: Sequence[tuple[str, str]]) -> list[str]:
    """Returns the first subnet of each zone: an interface endpoint has one subnet per zone.

    https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
    """
    first: dict[str, str] = {}
    for subnet_id, zone in subnets:
        first.setdefault(zone, subnet_id)
    return list(first.values())
