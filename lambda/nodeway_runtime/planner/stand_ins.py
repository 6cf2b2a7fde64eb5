"""Plans stand-ins: HAProxies for nodes that the last deployment did not know, until the next one adds theirs. Pure.

A stand-in's backend is a name in the stand-in zone. It answers PLACEHOLDER while ElastiCache shows no endpoint, then a
CNAME to the node's own name. So the node's name is not resolved before it exists, which would leave a negative answer
in the resolver of the proxies' VPC for up to 15 minutes.

    node      | own task | stand-ins     | step
    ----------+----------+---------------+-----------------------------------------------------
    wanted    |    no    | none          | Start
    wanted    |    no    | one           | nothing
    wanted    |    no    | two           | Retire the later one
    wanted    | healthy  | one           | Retire it
    absent    |    -     | one           | Retire it (once its record is gone)
    any       |          | retired       | Stop it, three TTLs after it left the records
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.snapshot import Snapshot
from nodeway_runtime.model.steps import Retire, StandInRecord, Start, Step, Stop
from nodeway_runtime.model.topology import Hostname, Proxy

TTLS_BEFORE_STOP = 3


@dataclass(frozen=True, slots=True)
class StandInPlan:
    """The steps of a run, the records of the stand-in zone, and the nodes for which the limit left no stand-in."""

    steps: tuple[Step, ...] = ()
    zone_records: tuple[StandInRecord, ...] = ()
    over_limit: tuple[Hostname, ...] = ()


def plan_stand_ins(snapshot: Snapshot, settings: Settings, now: datetime) -> StandInPlan:
    """What to start, retire and stop. With an incomplete snapshot nothing is retired or stopped."""
    topology, fleet = snapshot.topology, snapshot.fleet
    if settings.stand_in is None or not topology.reachable:
        return StandInPlan()
    names = {n.hostname: n.cache_cluster_id for n in topology.reachable if n.hostname is not None}
    names |= {hostname: cluster_id for cluster_id, hostname in topology.pending_names.items()}
    pending = {p.node for p in fleet.pending if p.stand_in}
    with_stand_in = {task.node for task in fleet.tasks if task.stand_in}
    kept, surplus = choose_kept(snapshot, names)
    served = fleet.nodes_with_own_task | snapshot.nodes_with_service | pending | kept.keys()
    missing = [] if fleet.problems else sorted(names.keys() - served)
    room = max(0, settings.max_stand_ins - fleet.stand_ins)
    steps: list[Step] = [Start(names[node], node) for node in missing[:room]]
    if not snapshot.problems:
        wound_down = (wind_down(proxy, snapshot, settings, now) for proxy in surplus)
        steps += [step for step in wound_down if step is not None]
    zone_records = [
        StandInRecord(
            Hostname(f"{names[node]}.{settings.stand_in.zone_name}"),
            None if names[node] in topology.pending_names else node,
        )
        for node in sorted(names.keys() & (with_stand_in | set(missing[:room])))
    ]
    return StandInPlan(tuple(steps), tuple(zone_records), tuple(missing[room:]))


def choose_kept(
    snapshot: Snapshot, names: Mapping[Hostname, str]
) -> tuple[dict[Hostname, Proxy], list[Proxy]]:
    """One stand-in for each node that still needs it, healthy ones first, and all others."""
    own_healthy = {p.node for p in snapshot.fleet.proxies if not p.stand_in and p.healthy}
    stand_ins = (p for p in snapshot.fleet.proxies if p.stand_in)
    kept: dict[Hostname, Proxy] = {}
    surplus: list[Proxy] = []
    for proxy in sorted(stand_ins, key=lambda p: (not p.healthy, p.task_arn)):
        needed = proxy.node in names and proxy.node not in own_healthy and proxy.retired_at is None
        if needed and not proxy.unhealthy and proxy.node not in kept:
            kept[proxy.node] = proxy
        else:
            surplus.append(proxy)
    return kept, surplus


def wind_down(proxy: Proxy, snapshot: Snapshot, settings: Settings, now: datetime) -> Step | None:
    """The next step of a surplus stand-in: none while a record has its address, then Retire, then Stop."""
    if any(proxy.address in record.values for record in snapshot.records):
        return None
    if proxy.retired_at is None:
        return Retire(proxy.task_arn, proxy.node)
    if now - proxy.retired_at >= timedelta(seconds=TTLS_BEFORE_STOP * settings.ttl_seconds):
        return Stop(
            proxy.task_arn, proxy.node, f"out of the records since {proxy.retired_at:%H:%M:%SZ}"
        )
    return None
