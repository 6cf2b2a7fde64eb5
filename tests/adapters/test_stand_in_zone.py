"""The stand-in zone's adapter: names of ours that say where stand-ins find their nodes."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from nodeway_runtime.aws.stand_in_zone import TTL_SECONDS, NoStandInZone, Route53StandInZone
from nodeway_runtime.model.errors import ApplyFailed
from nodeway_runtime.model.steps import PLACEHOLDER
from tests.support.fake_aws.calls import Calls, Fault
from tests.support.fake_aws.route53 import FakeRoute53, HostedZone
from tests.support.fakes import ONE, STAND_IN, TWO, named, parked

ZONE = STAND_IN.zone_name


@dataclass(slots=True)
class Zone:
    """A stand-in zone in the fake of Route 53."""

    hosted: HostedZone = field(default_factory=lambda: HostedZone(ZONE))
    calls: Calls = field(default_factory=Calls)

    @property
    def port(self) -> Route53StandInZone:
        """The adapter, as a new process has it."""
        client: Any = FakeRoute53(self.calls, {"Z0PARKING": self.hosted})
        return Route53StandInZone(client, "Z0PARKING")

    @property
    def operations(self) -> list[str]:
        """The calls that reached Route 53."""
        return [operation for _, operation, _ in self.calls.made]

    @property
    def names(self) -> dict[str, tuple[str, str, int]]:
        """First label to type, value and TTL."""
        return {
            name.partition(".")[0]: (kind, one["ResourceRecords"][0]["Value"], one["TTL"])
            for (name, kind, _), one in self.hosted.sets.items()
            if kind != "SOA"
        }


@pytest.fixture
def zone() -> Zone:
    return Zone()


def test_park_writes_an_address_that_nobody_has_and_then_the_nodes_own_name(zone: Zone) -> None:
    """The name answers from the first moment; what it answers changes in one batch, and is seen at once."""
    assert TTL_SECONDS <= 5
    assert PLACEHOLDER.startswith("192.0.2.")
    port = zone.port

    port.write((parked(ONE),))
    assert zone.names == {ONE: ("A", PLACEHOLDER, TTL_SECONDS)}

    port.write((parked(ONE, named(ONE)),))
    assert zone.names == {ONE: ("CNAME", named(ONE), TTL_SECONDS)}


def test_park_leaves_the_other_names_and_clear_none(zone: Zone) -> None:
    """A HAProxy may still live on a name that this read did not show; clearing twice is as good as once."""
    port = zone.port
    port.write((parked(ONE, named(ONE)),))
    port.write((parked(TWO),))
    port.write(())
    assert set(zone.names) == {ONE, TWO}

    zone.port.clear()
    port.clear()
    assert zone.names == {}

    port.write((parked(TWO),))
    assert set(zone.names) == {TWO}


def test_park_corrects_what_somebody_wrote(zone: Zone) -> None:
    """The zone is all ours: its names say what is wanted, whoever wrote them."""
    zone.hosted.sets[f"{ONE}.{ZONE}.", "A", ""] = {
        "Name": f"{ONE}.{ZONE}.",
        "Type": "A",
        "TTL": TTL_SECONDS,
        "ResourceRecords": [{"Value": "10.66.0.1"}],
    }

    zone.port.write((parked(ONE, named(ONE)),))

    assert zone.names == {ONE: ("CNAME", named(ONE), TTL_SECONDS)}


def test_park_asks_nobody_when_there_is_nothing_new_to_say(zone: Zone) -> None:
    """A run without stand-ins costs no call, nor one that wants the same; a new process only reads."""
    port = zone.port
    port.write(())
    assert zone.calls.made == []

    for _ in range(3):
        port.write((parked(ONE),))

    assert zone.operations == ["ListResourceRecordSets", "ChangeResourceRecordSets"]

    zone.port.write((parked(ONE),))
    assert zone.operations[2:] == ["ListResourceRecordSets"]


@pytest.mark.parametrize("call", [1, 2], ids=["read", "write"])
def test_park_fails_when_route53_does_and_says_it_again_later(zone: Zone, call: int) -> None:
    """What was not written was not said."""
    port = zone.port

    for _ in range(2):
        zone.calls.armed = {call: Fault.THROTTLED}
        with pytest.raises(ApplyFailed, match=r"the stand-in zone Z0PARKING: .*Throttling"):
            port.write((parked(ONE),))
    port.write((parked(ONE),))

    assert set(zone.names) == {ONE}


def test_no_parking_is_for_deployments_without_stand_ins() -> None:
    """Nothing is ever wanted of it."""
    NoStandInZone().write(())
    NoStandInZone().clear()

    with pytest.raises(ApplyFailed, match="has no stand-in zone"):
        NoStandInZone().write((parked(ONE),))
