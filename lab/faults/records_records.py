"""Faults of names: a record that is missing, wrong, or not believed, and the zone in a network that must not see it."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab import layout
from lab.deployment.product import Product, client
from lab.deployment.world import World
from lab.dns.zones import DEFAULT_SOA_TTL
from lab.faults.expectation import Expectation, expect
from lab.faults.nodes import all_names, replica
from lab.faults.records import Edit, edited, leads_to, of_name, with_marker
from lab.observe import client_view as view
from lab.wait import wait_until
from nodeway_runtime.paths.verdicts import Verdict

MINIMUM_SECONDS = "86400"
"""The last word of Route 53's own SOA, of which the lower one of it and the TTL counts."""
NOTICED_SECONDS = 30
"""The resolver's cached answer (5 s), and HAProxy's own reading of the name (2 s), with much to spare."""


@contextmanager
def missing_record(world: World) -> Iterator[Expectation]:
    """The zone has lost a node's record and its marker, and the resync is down: NXDOMAIN for the client."""
    product, name = Product(), replica(world, "0001").hostname
    zone_id = product.outputs["HostedZoneId"]
    edit = Edit(zone_id, before=with_marker(zone_id, name), after=())
    with edited(product, edit, leads_to(name), f"{name} not to exist for the client"):
        yield expect(name, verdicts=(Verdict.MISSING_RECORD,))


@contextmanager
def wrong_proxy(world: World) -> Iterator[Expectation]:
    """A node's record leads to another node's HAProxy, and the resync is down: the certificate fits both."""
    product = Product()
    name, other = (replica(world, shard).hostname for shard in ("0001", "0002"))
    with leading_to(product, name, *product.records()[other]):
        yield expect(name, verdicts=(Verdict.WRONG_PROXY,))


@contextmanager
def leading_to(product: Product, name: str, *addresses: str) -> Iterator[None]:
    """A node's record leads to these addresses; the resync is down, and the client has noticed."""
    zone_id = product.outputs["HostedZoneId"]
    before = of_name(zone_id, name, "A")
    values = [{"Value": address} for address in addresses]
    after = tuple(one | {"ResourceRecords": values} for one in before)
    told = f"{name} to lead the client to {', '.join(addresses)}"
    with edited(product, Edit(zone_id, before, after), leads_to(name, *addresses), told):
        yield


@contextmanager
def cached_nxdomain(world: World) -> Iterator[Expectation]:
    """The client asked while a record was missing and the zone's SOA was Route 53's own: "no" is kept for 900 s."""
    product, name = Product(), replica(world, "0001").hostname
    zone_id = product.outputs["HostedZoneId"]
    soa = of_name(zone_id, layout.ZONE, "SOA")
    missing = with_marker(zone_id, name)
    edit = Edit(zone_id, before=(*missing, *soa), after=tuple(map(as_by_default, soa)))
    with edited(product, edit, leads_to(name), f"{name} not to exist for the client"):
        pass
    try:
        yield expect(name, verdicts=(Verdict.CACHED_NXDOMAIN,))
    finally:
        world.stop_resolver()
        world.start_resolver()


def as_by_default(soa: dict[str, object]) -> dict[str, object]:
    """The zone's SOA with the times that Route 53 gives to a new zone."""
    values = soa["ResourceRecords"]
    assert isinstance(values, list)  # noqa: S101 - a record set's
    words = [*str(values[0]["Value"]).split()[:-1], MINIMUM_SECONDS]
    return soa | {"TTL": DEFAULT_SOA_TTL, "ResourceRecords": [{"Value": " ".join(words)}]}


@contextmanager
def proxy_loops(world: World) -> Iterator[Expectation]:
    """Somebody has associated the zone with the proxies' VPC: each HAProxy resolves its node to itself."""
    product, names = Product(), all_names(world)
    route53, zone_id = client("route53"), product.outputs["HostedZoneId"]
    vpc = {"VPCId": layout.PROXY_VPC.vpc_id, "VPCRegion": layout.REGION}

    def closed() -> bool:
        return all(view.handshake(world, name) == view.CLOSED for name in names)

    route53.associate_vpc_with_hosted_zone(HostedZoneId=zone_id, VPC=vpc)
    try:
        wait_until(
            lambda: view.from_client(closed),
            timeout_seconds=NOTICED_SECONDS,
            what="each HAProxy to have found itself in place of its node",
        )
        yield expect(
            *names, verdicts=(Verdict.PROXY_LOOPS,), beside=(layout.CONFIGURATION_ENDPOINT,)
        )
    finally:
        route53.disassociate_vpc_from_hosted_zone(HostedZoneId=zone_id, VPC=vpc)
