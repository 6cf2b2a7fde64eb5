"""Stage 1: what is asked, when, and what becomes of what nobody answered."""

import pytest

from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import Fleet, Hostname, Topology
from nodeway_runtime.planner.reconcile import read_snapshot
from nodeway_runtime.planner.stand_ins import plan_stand_ins
from tests.support.fakes import (
    NOW,
    ONE,
    STAND_IN,
    TWO,
    ZONE,
    World,
    creating,
    fleet,
    marked,
    named,
    pending,
    proxy,
    record,
    settings,
    topology,
    world,
)
from tests.support.ports import FakeZone, StubEcs

WITH = settings(stand_in=STAND_IN)


class AskedEcs(StubEcs):
    """Counts who asks for the services, and may refuse to say."""

    asked = 0
    silent = False

    def nodes_with_service(self, cluster: str) -> frozenset[Hostname]:
        """Counted."""
        self.asked += 1
        if self.silent:
            raise ReadFailed(f"ECS did not answer for the services of cluster {cluster}")
        return self.services


def with_ecs(here: World) -> AskedEcs:
    """The world's ECS, counting."""
    here.ecs = counting = AskedEcs(here.ecs.answer, services=frozenset({named(TWO)}))
    return counting


OWN, STANDS_IN = proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.8.2", stand_in=True)


ASKED: dict[str, tuple[Topology, Fleet, Settings, int]] = {
    "every node has a task": (topology(ONE), fleet(OWN), WITH, 0),
    "one has a stand-in": (topology(ONE, TWO), fleet(OWN, STANDS_IN), WITH, 0),
    "one's has no address yet": (topology(ONE, TWO), fleet(OWN, pending(TWO)), WITH, 0),
    "one has none": (topology(ONE, TWO), fleet(OWN), WITH, 1),
    "one that is being created has none": (topology(ONE, creating(TWO)), fleet(OWN), WITH, 1),
    "no stand-ins": (topology(ONE, TWO), fleet(OWN), settings(), 0),
    "no nodes": (topology(), fleet(), WITH, 0),
}


@pytest.mark.parametrize(("seen", "running", "told", "asked"), ASKED.values(), ids=ASKED)
def test_read_asks_for_services_only_when_a_node_has_no_task(
    seen: Topology, running: Fleet, told: Settings, asked: int
) -> None:
    """A quiet run costs no call for it."""
    here = world(seen, running)
    ecs = with_ecs(here)

    found = read_snapshot(here.ports, told)

    assert ecs.asked == asked
    assert found.nodes_with_service == (frozenset({named(TWO)}) if asked else frozenset())
    assert found.problems == ()


def test_read_without_the_services_starts_no_stand_in_and_forbids_deletes() -> None:
    """Not known is not without service: every node counts as served, and the read as incomplete."""
    here = world(topology(ONE, TWO), fleet(OWN))
    with_ecs(here).silent = True

    found = read_snapshot(here.ports, WITH)

    assert found.problems == ("ECS did not answer for the services of cluster nodeway",)
    assert plan_stand_ins(found, WITH, NOW).steps == ()


class SecretiveZone(FakeZone):
    """A zone that does not say who sees it."""

    def vpcs(self) -> frozenset[str]:
        """Raises ReadFailed."""
        raise ReadFailed("Route 53 did not answer for the VPCs")


def test_read_without_the_zones_vpcs_is_incomplete() -> None:
    """Whether it is a loop is not known: nothing goes, and nothing new is started."""
    here = world(topology(ONE, TWO), fleet(OWN))
    here.zone = SecretiveZone(ZONE, marked(record(ONE, "10.20.1.4")))

    found = read_snapshot(here.ports, WITH)

    assert found.problems == ("Route 53 did not answer for the VPCs",)
    assert plan_stand_ins(found, WITH, NOW).steps == ()
    assert {one.rule for one in here.run(WITH).refusals} == {"incomplete_forbids_deletes"}


def test_read_says_who_sees_the_zone_and_a_run_writes_nothing_into_a_loop() -> None:
    """A person associated the HAProxies' VPC with the zone: from then on no record is written."""
    here = world(topology(ONE), fleet(OWN))
    here.zone.hosted.vpcs.append("vpc-0000000a")

    outcome = here.run(settings(proxy_vpc_id="vpc-0000000a"))

    assert outcome.snapshot.zone_vpcs == {"vpc-0000000c", "vpc-0000000a"}
    assert {one.rule for one in outcome.refusals} == {"clients_zone_is_not_the_proxies"}
    assert [change.new.name for change in outcome.plan.updates] == [ZONE]
    assert outcome.plan.creates == ()


def test_read_keeps_the_problems_of_every_source() -> None:
    """Whoever reads the log learns of all of them at once."""
    here = world(topology(ONE), fleet(OWN))
    here.elasticache.error, here.ecs.error = "Throttling", "AccessDenied"

    found = read_snapshot(here.ports, WITH)

    assert found.problems == (
        "ElastiCache did not answer for demo: Throttling",
        "ECS did not answer for cluster nodeway: AccessDenied",
    )
    assert (found.topology.nodes, found.fleet.tasks) == ((), ())
