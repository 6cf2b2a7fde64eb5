"""The sandbox's client: an EC2 instance with the client programs, reached through Systems Manager only.

The user data holds no secret: a check reads the AUTH token when it runs, and keeps it in its process.
"""

from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from nodeway import client
from nodeway.config.sandbox import HOME, PORT
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.network.vpc import name_without_part

PROGRAMS = Path(client.__file__).parent
"""The package `nodeway.client`, which the lab runs too. It imports nothing else of this repository."""
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
"""The programs' dependencies with hashes, written by `make lock`."""
PYTHON = "python3.12"
"""The default Python of Amazon Linux 2023 is too old: https://docs.aws.amazon.com/linux/al2023/ug/python.html"""

SSM_ACTIONS = [
    "ssm:UpdateInstanceInformation",
    *(
        f"ssmmessages:{verb}{kind}Channel"
        for verb in ("Create", "Open")
        for kind in ("Control", "Data")
    ),
    *(
        f"ec2messages:{action}"
        for action in (
            "AcknowledgeMessage",
            "DeleteMessage",
            "FailMessage",
            "GetEndpoint",
            "GetMessages",
            "SendReply",
        )
    ),
]
"""Permissions for Run Command and Session Manager, without AmazonSSMManagedInstanceCore's to read every parameter:
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html
"""


class SandboxClient(Construct):
    """One small instance: no key pair, no ingress, an encrypted disk, IMDSv2, access to one secret and one asset."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        subnets: Sequence[ec2.ISubnet],
        secret: secretsmanager.ISecret,
    ) -> None:
        super().__init__(scope, construct_id)
        programs = assets.Asset(
            self,
            "Programs",
            path=str(PROGRAMS),
            exclude=["**/__pycache__"],
        )
        instance = ec2.Instance(
            self,
            "Instance",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=list(subnets)),
            instance_type=ec2.InstanceType("t4g.micro"),
            machine_image=ec2.MachineImage.latest_amazon_linux2023(
                cpu_type=ec2.AmazonLinuxCpuType.ARM_64
            ),
            role=self._role(secret, programs),
            security_group=self._security_group(vpc),
            http_tokens=ec2.HttpTokens.REQUIRED,
            http_put_response_hop_limit=1,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(
                        8,
                        encrypted=True,
                        volume_type=ec2.EbsDeviceVolumeType.GP3,
                        delete_on_termination=True,
                    ),
                )
            ],
            user_data=boot_commands(programs, cdk.Stack.of(self).region),
            user_data_causes_replacement=True,
        )
        name_without_part(instance)
        # a literal zone: the instance is in a subnet of a configured zone
        instance.instance.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3010"]}})
        for subnet in subnets:
            # the first boot gets its packages through the NAT gateway
            instance.node.add_dependency(subnet.internet_connectivity_established)
        acknowledge(
            instance, "EC28", "its load is nobody's business; a check tells its own figures"
        )
        acknowledge(instance, "EC29", "it holds nothing, and a teardown must be able to end it")
        self.instance_id = instance.instance_id

    def _role(self, secret: secretsmanager.ISecret, programs: assets.Asset) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description="The sandbox's client host: Systems Manager, its programs, one secret",
        )
        secret.grant_read(role)
        asset = f"{programs.s3_bucket_name}/{programs.s3_object_key}"
        role.add_to_policy(
            iam.PolicyStatement(
                sid="Programs",
                actions=["s3:GetObject"],
                resources=[f"arn:{cdk.Stack.of(self).partition}:s3:::{asset}"],
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(sid="SystemsManager", actions=SSM_ACTIONS, resources=["*"])
        )
        policy = role.node.find_child("DefaultPolicy")
        reason = "the agent's channels and messages have no ARN"
        acknowledge(policy, "IAM5[Resource::*]", reason)
        return role

    def _security_group(self, vpc: ec2.IVpc) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, allow_all_outbound=False, description="client host"
        )
        anywhere = ec2.Peer.any_ipv4()
        group.add_egress_rule(anywhere, ec2.Port.tcp(443), "Systems Manager, packages, the secret")
        # to any address: the check shows that routes, not this rule, keep the client from the nodes
        group.add_egress_rule(anywhere, ec2.Port.tcp(PORT), "wherever a node may be")
        return group


def boot_commands(programs: assets.Asset, region: str) -> ec2.UserData:
    """Installs Python, the locked redis-py and the programs. The last command creates the file `ready`."""
    data = ec2.UserData.for_linux()
    data.add_commands(
        "set -euo pipefail",
        f"dnf install --assumeyes --quiet {PYTHON} {PYTHON}-pip",
        f"mkdir -p {HOME}/programs/nodeway/client",
        f"{PYTHON} -m venv {HOME}/venv",
        f"cat > {HOME}/requirements.txt <<'END'\n{REQUIREMENTS.read_text()}END",
        f"{HOME}/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes"
        f" --only-binary :all: --requirement {HOME}/requirements.txt",
        f"aws s3 cp --region {region} --only-show-errors"
        f" s3://{programs.s3_bucket_name}/{programs.s3_object_key} {HOME}/programs.zip",
        f"{PYTHON} -m zipfile -e {HOME}/programs.zip {HOME}/programs/nodeway/client",
        f"touch {HOME}/ready",
    )
    return data
