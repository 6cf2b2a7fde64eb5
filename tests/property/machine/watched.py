"""One run of the machine, and what it asked of the zone: known from outside of the program."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodeway_runtime.aws.route53 import Route53Zone
from nodeway_runtime.model.changes import Change, Delete
from nodeway_runtime.model.settings import Settings, StandInSettings
from nodeway_runtime.model.topology import Record, RecordType, hostname
from nodeway_runtime.planner.plan import Plan
from nodeway_runtime.planner.reconcile import Outcome
from tests.support.fake_aws.calls import Shape
from tests.support.fakes import ZONE

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

PARKING = hostname("parked.nodeway.internal")
SETTINGS = Settings(
    "demo",
    "Z0DEMO",
    ZONE,
    "nodeway",
    proxy_vpc_id="vpc-0000000a",
    stand_in=StandInSettings("nodeway-demo", ("subnet-0a",), "sg-0a", "Z0PARK", PARKING),
)


class WatchedZone(Route53Zone):
    """The real adapter, and what it was asked in one run."""

    def __init__(self, client: "Route53Client") -> None:
        super().__init__(client, SETTINGS.hosted_zone_id)
        self.seen: tuple[Record, ...] = ()
        self.asked: list[Change] = []

    def records(self) -> tuple[Record, ...]:
        """As the adapter answers."""
        self.seen = super().records()
        return self.seen

    def change(self, batch: tuple[Change, ...], comment: str) -> str:
        """Noted before it is tried: it may take effect although its answer is lost."""
        self.asked += batch
        return super().change(batch, comment)


@dataclass(slots=True)
class Run:
    """What is known of one run when it has ended."""

    zone: WatchedZone
    settings: Settings
    incomplete: bool = False
    """Whether AWS told less than all of it."""
    only_looked: bool = False
    blind: bool = False
    """Whether it was shown no node with an endpoint, or there was no HAProxy that is healthy."""
    true: bool = False
    """Whether ElastiCache told the truth."""
    at: float = 0
    raced: bool = False
    """Whether something else happened between its calls."""
    outcome: Outcome | None = None

    @property
    def a_deletes(self) -> Plan:
        """The address records that it tried to take away."""
        gone = (c for c in self.zone.asked if isinstance(c, Delete))
        return Plan(tuple(c for c in gone if c.old.type is RecordType.A))


def read(call: tuple[str, str, Shape]) -> bool:
    """Whether a call was one of the reading stage."""
    return call[1].startswith(("Describe", "List", "Get"))
