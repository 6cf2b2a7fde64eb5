"""What a peering stack's template says, and the ids of the environments of docs/networks.md."""

from typing import Any

from tests.support.synth.shapes import properties
from tests.synth.conftest import Synthesis

PROXIES, CACHE = "vpc-0a000000000000001", "vpc-0d000000000000001"
FIRST, SECOND, THIRD = (f"vpc-0c00000000000000{number}" for number in (1, 2, 3))
PROXY_TABLE, CACHE_TABLE = "rtb-0a000000000000001", "rtb-0d000000000000001"
FIRST_TABLE, SECOND_TABLE, SECOND_TABLE_TOO = (f"rtb-0c00000000000000{n}" for n in (1, 2, 3))
ROLE = "arn:aws:iam::444455556666:role/accept-peering"
CONNECTION = "AWS::EC2::VPCPeeringConnection"


def connections(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    """The connections, by logical id."""
    return {
        key: {name: value for name, value in one["Properties"].items() if name != "Tags"}
        for key, one in synthesis.resources("peering", CONNECTION).items()
    }


def routes(synthesis: Synthesis) -> set[tuple[str, str, str]]:
    """Each route as (route table, range, VPC at the other end of the connection)."""
    ends = connections(synthesis)
    found = []
    for one in properties(synthesis, "peering", "AWS::EC2::Route"):
        connection = ends[one["VpcPeeringConnectionId"].strip("<>")]
        found.append(
            (one["RouteTableId"], one["DestinationCidrBlock"], str(connection["PeerVpcId"]))
        )
    assert len(found) == len(set(found))
    return set(found)
