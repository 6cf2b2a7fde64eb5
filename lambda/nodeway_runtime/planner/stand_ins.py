"""Stand-ins: HAProxies for nodes that the last deploy did not know, until the next one gives them their own. Pure.

A stand-in's backend is a name in a small zone of ours, the parking zone, which always answers: `PARKED` while
ElastiCache shows no endpoint, then a CNAME to the node's own name. So nothing of ours asks for a node's name before it
exists, which would plant a negative answer in the proxy VPC's resolver for up to 15 minutes.

    node      | own task | stand-ins     | step
    ----------+----------+---------------+-----------------------------------------------------
    wanted    |    no    | none          | Start
    wanted    |    no    | one           | nothing
    wanted    |    no    | two           | Retire the later one
    wanted    | healthy  | one           | Retire it
    absent    |    -     | one           | Retire it (once its record is gone)
    any       |          | retired       | Stop it, three TTLs after it left the records
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.snapshot import Observation
from nodeway_runtime.model.steps import Parking, Retire, Start, Step, Stop
from nodeway_runtime.model.topology import Hostname, Proxy

TTLS_BEFORE_STOP = 3


@dataclass(frozen=True, slots=True)
class StandInPlan:
    """The steps of a run, and the nodes for which the limit left none."""

    steps: tuple[Step, ...] = ()
    parking: tuple[Parking, ...] = ()
    over_limit: tuple[Hostname, ...] = ()


def plan_stand_ins(seen: Observation, settings: Settings, now: datetime) -> StandInPlan:
    """What to start, retire and stop, from what was read. An incomplete read stops and retires nothing."""
    topology, fleet = seen.topology, seen.fleet
    if settings.stand_in is None or not topology.live:
        return StandInPlan()
    names = {n.hostname: n.cache_cluster_id for n in topology.live if n.hostname is not None}
    names |= {hostname: cluster_id for cluster_id, hostname in topology.early.items()}
    pending = {p.node for p in fleet.pending if p.stand_in}
    with_stand_in = {task.node for task in fleet.tasks if task.stand_in}
    mine = sorted(
        (p for p in fleet.proxies if p.stand_in), key=lambda p: (not p.healthy, p.task_arn)
    )
    kept, surplus = split(mine, seen, names)
    served = fleet.with_own | seen.served | pending | kept.keys()
    missing = [] if fleet.problems else sorted(names.keys() - served)
    room = max(0, settings.max_stand_ins - fleet.stand_ins)
    steps: list[Step] = [Start(names[node], node) for node in missing[:room]]
    if not seen.problems:
        steps += [step for p in surplus if (step := wind_down(p, seen, settings, now)) is not None]
    parking = [
        park(names[node], node, topology.early, settings)
        for node in sorted(names.keys() & (with_stand_in | set(missing[:room])))
    ]
    return StandInPlan(tuple(steps), tuple(parking), tuple(missing[room:]))


def split(
    mine: list[Proxy], seen: Observation, names: dict[Hostname, str]
) -> tuple[dict[Hostname, Proxy], list[Proxy]]:
    """One stand-in a node that still needs it, the healthy one first, and all that are too many."""
    healthy = {p.node for p in seen.fleet.proxies if not p.stand_in and p.healthy}
    kept: dict[Hostname, Proxy] = {}
    surplus: list[Proxy] = []
    for proxy in mine:
        needed = proxy.node in names and proxy.node not in healthy and proxy.retired_at is None
        if needed and not proxy.unhealthy and proxy.node not in kept:
            kept[proxy.node] = proxy
        else:
            surplus.append(proxy)
    return kept, surplus


def wind_down(proxy: Proxy, seen: Observation, settings: Settings, now: datetime) -> Step | None:
    """The next step of a stand-in that is too many: out of the records first, then noted, then stopped."""
    if any(proxy.address in record.values for record in seen.records):
        return None
    if proxy.retired_at is None:
        return Retire(proxy.task_arn, proxy.node)
    if now - proxy.retired_at >= timedelta(seconds=TTLS_BEFORE_STOP * settings.ttl_seconds):
        return Stop(
            proxy.task_arn, proxy.node, f"out of the records since {proxy.retired_at:%H:%M:%SZ}"
        )
    return None


def park(
    cluster_id: str, node: Hostname, early: dict[str, Hostname], settings: Settings
) -> Parking:
    """What the backend's name should lead to."""
    zone = settings.stand_in.parking_zone_name if settings.stand_in else ""
    return Parking(Hostname(f"{cluster_id}.{zone}"), None if cluster_id in early else node)
