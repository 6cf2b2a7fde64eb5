"""An account with the sandbox deployed, in a test: services that answer what is queued, and a check's own words."""

import json
from typing import Any

from lab.layout import ROOT
from nodeway.cli.account import Deployment
from nodeway.config.loader import load
from nodeway.config.model import EnvironmentConfig
from tests.support.stubbed import StubbedSession

ZONE = "trial.a1b2c3.use1.cache.amazonaws.com"
NAMES = [f"trial-{shard:04}-{member:03}.{ZONE}" for shard in (1, 2) for member in (1, 2)]
OWN = ["10.71.2.5", "10.71.2.6", "10.71.2.37", "10.71.2.38"]
HOST, SENT = "i-0123456789abcdef0", "11111111-2222-3333-4444-555555555555"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:AuthToken-a1b2c3"
OUTPUTS = {
    "ClientInstance": HOST,
    "Secret": SECRET,
    "CacheVpcId": "vpc-0123456789abcdef0",
    "CacheSecurityGroup": "sg-0123456789abcdef0",
    "Endpoint": f"clustercfg.{ZONE}",
    "NodeNames": ",".join(NAMES),
}
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
CONFIG = load({**CONTEXT, "env": "sandbox"})


def passed() -> dict[str, Any]:
    """What a check prints that passed."""
    return {
        "direct": [{"address": one, "ok": True, "answer": ""} for one in OWN],
        "names": [
            {"name": one, "ok": True, "addresses": ["10.71.1.4"], "elsewhere": [], "silent": []}
            for one in NAMES
        ],
        "exercise": {
            "ok": True,
            "keys_written": 10000,
            "keys_read_back": 10000,
            "slots_covered": 16384,
            "tls_verified": True,
            "tls_problems": [],
            "commands": {"pipeline": "ok", "scan": "ok"},
            "other_nodes": [],
        },
        "ok": True,
    }


class Sandboxed(StubbedSession):
    """An account with the sandbox deployed, whose services answer what a test queues, in that order."""

    def __init__(self) -> None:
        super().__init__("ec2", "ssm", "cloudformation")
        self.told: dict[str, str] = dict(OUTPUTS)

    def __call__(self, environment: EnvironmentConfig) -> "Sandboxed":
        """As a command reaches it."""
        del environment
        return self

    def outputs(self, stack: str) -> dict[str, str]:
        """Of the sandbox's stack."""
        assert stack == "nodeway-sandbox-sandbox"
        return self.told

    def deployment(self, cluster: str) -> Deployment:
        """Nobody is to ask."""
        raise AssertionError(cluster)

    def interfaces(self, *addresses: str) -> "Sandboxed":
        """The cache's VPC has these."""
        found = [{"PrivateIpAddress": one} for one in addresses]
        filters = [
            {"Name": "vpc-id", "Values": [OUTPUTS["CacheVpcId"]]},
            {"Name": "group-id", "Values": [OUTPUTS["CacheSecurityGroup"]]},
        ]
        answer = {"NetworkInterfaces": found}
        return self.answers("ec2", "describe_network_interfaces", answer, Filters=filters)

    def registration(self, *pings: str) -> "Sandboxed":
        """Systems Manager knows the host like this."""
        found = [{"InstanceId": HOST, "PingStatus": one} for one in pings]
        answer = {"InstanceInformationList": found}
        filters = [{"Key": "InstanceIds", "Values": [HOST]}]
        return self.answers("ssm", "describe_instance_information", answer, Filters=filters)

    def takes_the_command(self) -> "Sandboxed":
        """It is sent."""
        return self.answers("ssm", "send_command", {"Command": {"CommandId": SENT}})

    def invocation(self, status: str, out: str = "", err: str = "") -> "Sandboxed":
        """How the command is."""
        answer = {"Status": status, "StandardOutputContent": out, "StandardErrorContent": err}
        asked = {"CommandId": SENT, "InstanceId": HOST}
        return self.answers("ssm", "get_command_invocation", answer, **asked)

    def ready(self) -> "Sandboxed":
        """All is as it should be up to the command."""
        return self.interfaces(*OWN).registration("Online").takes_the_command()
