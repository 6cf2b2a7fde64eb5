"""What no kind of proxy may do, whatever its snapshot says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.pages.environments import environments
from tests.support.synth.shapes import actions, built, properties, types
from tests.synth.conftest import Synthesis

CLIENTS = "10.40.0.0/16"


@dataclass(frozen=True, slots=True)
class Fleet:
    """The proxies of a cluster: the start of their stacks' names, who they run as, and their ports."""

    synthesis: Synthesis
    prefix: str
    user: str
    ports: tuple[int, ...]

    def every(self, kind: str) -> Iterator[dict[str, Any]]:
        """The properties of all resources of a type, those of stand-ins too."""
        for stack in self.synthesis.templates:
            if stack.startswith(self.prefix):
                yield from properties(self.synthesis, stack, kind)


@pytest.fixture(scope="module", params=["haproxy", "shared", "envoy"])
def fleet(request: pytest.FixtureRequest, dev: Synthesis) -> Fleet:
    """Of each kind."""
    match request.param:
        case "haproxy":
            return Fleet(dev, "", "haproxy", (6379,))
        case "shared":
            return Fleet(built(environments("shared")["shared"]), "shared-", "haproxy", (6379,))
        case _:
            return Fleet(built(environments("envoy")["envoy"]), "envoy-", "envoy", (6379, 6380))


def test_containers_can_do_no_harm(fleet: Fleet) -> None:
    """Read-only root, no root user, no capability, no secret but Envoy's, no port but the clients'."""
    for task in fleet.every("AWS::ECS::TaskDefinition"):
        (container,) = task["ContainerDefinitions"]
        assert container["ReadonlyRootFilesystem"] is True
        assert container["User"] == fleet.user
        assert container["LinuxParameters"] == {"Capabilities": {"Drop": ["ALL"]}}
        assert not {"MountPoints", "Privileged"} & container.keys()
        assert ("Secrets" in container) == (fleet.user == "envoy")
        ports = [one["ContainerPort"] for one in container["PortMappings"]]
        assert ports == list(fleet.ports)


def test_tasks_have_no_public_address(fleet: Fleet) -> None:
    networks = [one["NetworkConfiguration"] for one in fleet.every("AWS::ECS::Service")]

    assert networks
    assert {one["AwsvpcConfiguration"]["AssignPublicIp"] for one in networks} == {"DISABLED"}


def test_clients_come_in_on_their_ports_only_and_out_are_nodes_and_https(fleet: Fleet) -> None:
    """The nodes' addresses are not known at synth; image and logs are HTTPS."""
    (group,) = fleet.every("AWS::EC2::SecurityGroup")

    assert [
        (one["CidrIp"], one["IpProtocol"], one["FromPort"], one["ToPort"])
        for one in group["SecurityGroupIngress"]
    ] == [(CLIENTS, "tcp", port, port) for port in fleet.ports]
    assert [
        (one["CidrIp"], one["IpProtocol"], one["FromPort"], one["ToPort"])
        for one in group["SecurityGroupEgress"]
    ] == [("0.0.0.0/0", "tcp", port, port) for port in (6379, 443)]


def test_resync_of_one_name_reads_no_topology_and_runs_no_task(fleet: Fleet) -> None:
    """No ElastiCache, no RunTask, no PassRole, no topic, no second zone: only HAProxies of one node need them."""
    stack = f"{fleet.prefix}resync"
    wide = ("elasticache:", "iam:", "ecs:Run", "ecs:Stop")
    found = {one for one in actions(fleet.synthesis, stack) if one.startswith(wide)}
    found |= {"AWS::SNS::Topic", "AWS::Route53::HostedZone"} & types(fleet.synthesis, stack)

    assert bool(found) == (fleet.prefix == "")
