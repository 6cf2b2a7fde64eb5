"""Faults of records: missing, wrong, cached as absent, and the zone in a network that must not see it.

Each changes the clients' zone as somebody else would, while the resync is down, and undoes it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from lab import layout
from lab.deployment.product import Product, client
from lab.deployment.world import World
from lab.dns.zones import DEFAULT_SOA_TTL, normal
from lab.faults.expected_verdicts import ExpectedVerdicts, expect_verdicts
from lab.faults.nodes import ENDPOINT, all_names, replica
from lab.faults.resync import resync_paused
from lab.observe import client_view as view
from lab.wait import wait_until
from nodeway_runtime.model.ownership import marker_name
from nodeway_runtime.model.topology import Hostname
from nodeway_runtime.paths.verdicts import Verdict

SECONDS = 30
"""Well above a record's TTL (5 s), and the times at which the resolver (5 s) and HAProxy (2 s) read it again."""
MINIMUM_SECONDS = "86400"
"""The last field of Route 53's default SOA. The lower of it and the SOA's TTL is the negative cache time."""

RecordSet = dict[str, Any]


@contextmanager
def missing_record(world: World) -> Iterator[ExpectedVerdicts]:
    """The zone has lost a node's record and its marker, and the resync is down: NXDOMAIN for the client."""
    product, name = Product(), replica(world, "0001").hostname
    with edit_zone(product, record_and_marker(product, name), [], name):
        yield expect_verdicts(name, verdicts=(Verdict.MISSING_RECORD,))


@contextmanager
def wrong_proxy(world: World) -> Iterator[ExpectedVerdicts]:
    """A node's record leads to another node's HAProxy, and the resync is down: the certificate fits both."""
    product = Product()
    name, other = (replica(world, shard).hostname for shard in ("0001", "0002"))
    with redirect_record(product, name, *product.records()[other]):
        yield expect_verdicts(name, verdicts=(Verdict.WRONG_PROXY,))


@contextmanager
def cached_nxdomain(world: World) -> Iterator[ExpectedVerdicts]:
    """The client asked while a record was missing and the zone's SOA was Route 53's own: "no" is kept for 900 s."""
    product, name = Product(), replica(world, "0001").hostname
    soa = record_sets(product, layout.ZONE, "SOA")
    missing = record_and_marker(product, name)
    with edit_zone(product, [*missing, *soa], [default_soa(one) for one in soa], name):
        pass
    try:
        yield expect_verdicts(name, verdicts=(Verdict.CACHED_NXDOMAIN,))
    finally:
        world.stop_resolver()
        world.start_resolver()


@contextmanager
def proxy_loops(world: World) -> Iterator[ExpectedVerdicts]:
    """Somebody has associated the zone with the proxies' VPC: each HAProxy resolves its node to itself."""
    product, names = Product(), all_names(world)
    route53, zone_id = client("route53"), product.outputs["HostedZoneId"]
    vpc = {"VPCId": layout.PROXY_VPC.vpc_id, "VPCRegion": layout.REGION}
    route53.associate_vpc_with_hosted_zone(HostedZoneId=zone_id, VPC=vpc)
    try:
        view.wait_for_handshake(world, *names, result=view.CLOSED, timeout_seconds=SECONDS)
        yield expect_verdicts(*names, verdicts=(Verdict.PROXY_LOOPS,), beside=ENDPOINT)
    finally:
        route53.disassociate_vpc_from_hosted_zone(HostedZoneId=zone_id, VPC=vpc)


@contextmanager
def redirect_record(product: Product, name: str, *addresses: str) -> Iterator[None]:
    """A node's record leads to these addresses; the resync is down, and the client sees the change."""
    before = record_sets(product, name, "A")
    values = [{"Value": address} for address in addresses]
    after = [one | {"ResourceRecords": values} for one in before]
    with edit_zone(product, before, after, name, *addresses):
        yield


@contextmanager
def edit_zone(
    product: Product,
    before: list[RecordSet],
    after: list[RecordSet],
    name: str,
    *addresses: str,
) -> Iterator[None]:
    """Replaces record sets; the client resolves `name` to `addresses` in the block, and no resync runs meanwhile.

    Raises LabError when the client does not see the change, or the zone cannot be put back.
    """

    def replaced() -> bool:
        return replace_record_sets(product, before, after) and (
            view.from_client(lambda: view.addresses(name)) == tuple(sorted(addresses))
        )

    with resync_paused(product):
        try:
            # a run that had begun before the pause may put the records back once
            what = f"the client to resolve {name} to {', '.join(addresses) or 'nothing'}"
            wait_until(replaced, timeout_seconds=SECONDS, what=what)
            yield
        finally:
            wait_until(
                lambda: replace_record_sets(product, after, before),
                timeout_seconds=SECONDS,
                what="the zone to have its record sets back",
            )


def replace_record_sets(
    product: Product, old: list[RecordSet], new: list[RecordSet] | tuple[()]
) -> bool:
    """Whether `new` is in the zone in place of `old`; makes the change when it is not. Raises ClientError."""
    goal = {_key(one): one for one in new}
    keys = goal.keys() | {_key(one) for one in old}
    current = {_key(one): one for one in all_record_sets(product) if _key(one) in keys}
    if current == goal:
        return True
    changes = [("DELETE", one) for key, one in current.items() if key not in goal]
    changes += [("UPSERT", one) for key, one in goal.items() if current.get(key) != one]
    batch = [{"Action": action, "ResourceRecordSet": one} for action, one in changes]
    try:
        client("route53").change_resource_record_sets(
            HostedZoneId=product.outputs["HostedZoneId"], ChangeBatch={"Changes": batch}
        )
    except ClientError as error:
        # the resync changed the same record sets in between
        if error.response["Error"]["Code"] != "InvalidChangeBatch":
            raise
    return False


def all_record_sets(product: Product) -> list[RecordSet]:
    """All record sets of the product's zone, as Route 53 lists them."""
    pages = client("route53").get_paginator("list_resource_record_sets")
    found = pages.paginate(HostedZoneId=product.outputs["HostedZoneId"])
    return [one for page in found for one in page["ResourceRecordSets"]]


def record_sets(product: Product, name: str, kind: str) -> list[RecordSet]:
    """The record sets of a name and a record type."""
    return [one for one in all_record_sets(product) if _key(one) == (name, kind)]


def record_and_marker(product: Product, name: str) -> list[RecordSet]:
    """A node's A record set and its marker."""
    marker = marker_name(Hostname(name))
    return record_sets(product, name, "A") + record_sets(product, marker, "TXT")


def default_soa(soa: RecordSet) -> RecordSet:
    """The zone's SOA with the times that Route 53 gives to a new zone."""
    fields = soa["ResourceRecords"][0]["Value"].split()[:-1]
    values = [{"Value": " ".join([*fields, MINIMUM_SECONDS])}]
    return soa | {"TTL": DEFAULT_SOA_TTL, "ResourceRecords": values}


def _key(one: RecordSet) -> tuple[str, str]:
    return normal(one["Name"]), str(one["Type"])
