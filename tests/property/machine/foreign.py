"""What somebody else can do in the zone: to records of their own, and by hand to ours."""

from nodeway_runtime.model.ownership import marker_name
from nodeway_runtime.model.topology import Hostname
from tests.property.machine.world import World
from tests.support.fake_aws.calls import Shape
from tests.support.fake_aws.route53 import set_key
from tests.support.fakes import ZONE

LABELS = [f"demo-{shard:04}-{member:03}" for shard in (1, 2, 3, 4) for member in (1, 2)]
"""The ids that a member may have."""


def somebody_writes(world: World, number: int) -> None:
    """A record that is not ours, where we may want one some day or never; never beside our marker."""
    names = [*LABELS, "clustercfg", "db", "*", "static"]
    name = f"{names[number % len(names)]}.{ZONE}"
    if world.owns(name):
        name = f"free-{number}.{ZONE}"
    marker = marker_name(Hostname(name))
    kinds: list[Shape] = [
        plain(name, "A", "10.99.0.1"),
        plain(name, "AAAA", "fd00::1"),
        plain(name, "CNAME", "elsewhere.example.com"),
        plain(name, "TXT", '"v=spf1 -all"'),
        plain(marker, "TXT", '"some other text"'),
        plain(marker, "TXT", '"heritage=nodeway,owner=nodeway-other"'),
        plain(name, "A", "10.99.0.2") | {"SetIdentifier": "blue", "Weight": 10},
        {
            "Name": name,
            "Type": "A",
            "AliasTarget": {
                "HostedZoneId": "Z0LB",
                "DNSName": "lb.example.com",
                "EvaluateTargetHealth": False,
            },
        },
    ]
    if "*" not in name or number % len(kinds) not in {4, 5}:
        world.by_hand(("CREATE", kinds[number % len(kinds)]))


def somebody_changes(world: World, number: int) -> None:
    """Their own record."""
    at = world.foreign_at(number)
    if at is not None and "TTL" in world.foreign[at]:
        old = world.foreign[at]
        world.by_hand(("DELETE", old), ("CREATE", old | {"TTL": old["TTL"] % 300 + 1}))


def somebody_cleans_up(world: World, number: int) -> None:
    """Their own record goes."""
    at = world.foreign_at(number)
    if at is not None:
        world.by_hand(("DELETE", world.foreign[at]))


def our_record_is_deleted(world: World, number: int) -> None:
    """By somebody's hand: the address, the marker, or both. Without its marker an address is not ours."""
    ours = sorted(world.ours())
    if not ours:
        return
    name = ours[number % len(ours)]
    address = world.zone.sets[f"{name}.", "A", ""]
    marker = world.zone.sets[f"{marker_name(Hostname(name))}.", "TXT", ""]
    gone = [[address], [marker], [address, marker]][number % 3]
    world.by_hand(*(("DELETE", one) for one in gone))
    if address in gone:
        world.answered.discard(name)
    else:
        world.foreign[set_key(address)] = address


def plain(name: str, kind: str, value: str) -> Shape:
    """A record set as its writer gives it."""
    return {"Name": f"{name}.", "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
