"""The clients' zone as somebody else changes it, while the resync is down. It must never leave what it has changed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lab.deployment.product import Product, client
from lab.dns.zones import normal
from lab.faults.resync import resync_paused
from lab.observe import client_view as view
from lab.wait import wait_until
from nodeway_runtime.model.ownership import marker_name
from nodeway_runtime.model.topology import Hostname

SECONDS = 30
"""A record's TTL, and the resolver's own reading of the zone, with much to spare."""

RecordSet = dict[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of some record sets: what was there, and what is to be in its place."""

    zone_id: str
    before: tuple[RecordSet, ...]
    after: tuple[RecordSet, ...]

    def make(self) -> None:
        """Changes them, and again when somebody puts them right: a run may have begun before the resync was down."""
        _wait(self.made)

    def made(self) -> bool:
        """Whether they are changed; makes it so when they are not."""
        return self._is(self.after)

    def undo(self) -> None:
        """Puts back what was there."""
        _wait(lambda: self._is(self.before))

    def _is(self, wanted: tuple[RecordSet, ...]) -> bool:
        keys = {_key(one) for one in (*self.before, *self.after)}
        there = {_key(one): one for one in record_sets(self.zone_id) if _key(one) in keys}
        goal = {_key(one): one for one in wanted}
        if there == goal:
            return True
        changes = [("DELETE", one) for key, one in there.items() if key not in goal]
        changes += [("UPSERT", one) for key, one in goal.items() if there.get(key) != one]
        try:
            change(self.zone_id, changes)
        except ClientError as error:
            # somebody was faster
            if error.response["Error"]["Code"] != "InvalidChangeBatch":
                raise
        return False


def record_sets(zone_id: str) -> list[RecordSet]:
    """All record sets of a zone, as Route 53 tells them."""
    pages = client("route53").get_paginator("list_resource_record_sets")
    found = pages.paginate(HostedZoneId=zone_id)
    return [one for page in found for one in page["ResourceRecordSets"]]


def change(zone_id: str, changes: list[tuple[str, RecordSet]]) -> None:
    """One batch: actions with their record sets; raises ClientError."""
    batch = [{"Action": action, "ResourceRecordSet": one} for action, one in changes]
    client("route53").change_resource_record_sets(
        HostedZoneId=zone_id, ChangeBatch={"Changes": batch}
    )


def of_name(zone_id: str, name: str, *kinds: str) -> tuple[RecordSet, ...]:
    """The record sets of a name, of these types."""
    return tuple(
        one for one in record_sets(zone_id) if normal(one["Name"]) == name and one["Type"] in kinds
    )


def with_marker(zone_id: str, name: str) -> tuple[RecordSet, ...]:
    """A node's A record set and its marker."""
    marker = marker_name(Hostname(name))
    return of_name(zone_id, name, "A") + of_name(zone_id, marker, "TXT")


@contextmanager
def edited(product: Product, edit: Edit, seen: Callable[[], object], what: str) -> Iterator[None]:
    """The zone is changed and the client has noticed (`seen`); the resync is down for as long."""
    with resync_paused(product):
        try:
            edit.make()
            wait_until(lambda: edit.made() and seen(), timeout_seconds=SECONDS, what=what)
            yield
        finally:
            edit.undo()


def leads_to(name: str, *addresses: str) -> Callable[[], bool]:
    """Whether the client's resolver gives exactly these addresses for a name; none: it says that there is no such."""
    return lambda: view.from_client(lambda: view.addresses(name)) == tuple(sorted(addresses))


def _wait(check: Callable[[], bool]) -> None:
    wait_until(check, timeout_seconds=SECONDS, what="the zone to have the changed record sets")


def _key(one: RecordSet) -> Key:
    return normal(one["Name"]), str(one["Type"])
