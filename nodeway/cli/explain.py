"""What stands behind one name: its answer, the tasks there, the reason, the owner, and what the next run does. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from nodeway.cli.resync_output import change_of, step_of
from nodeway_runtime.model.changes import Change
from nodeway_runtime.model.ownership import READS_UNTIL_GONE, Marker, markers_by_name
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Step
from nodeway_runtime.model.topology import Address, Hostname, Node, Proxy, RecordType
from nodeway_runtime.planner.guard import Refusal
from nodeway_runtime.planner.plan import visible_changes
from nodeway_runtime.planner.reconcile import Outcome


class Kind(StrEnum):
    """Whose an address is."""

    OWN = "own"
    STAND_IN = "stand-in"
    PINNED = "pinned"
    ANOTHER_NODES = "another node's"
    NOBODYS = "nobody's"


@dataclass(frozen=True, slots=True)
class Behind:
    """An address that the name answers, and the task that has it."""

    address: Address
    kind: Kind
    proxy: Proxy | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that can be said of a name."""

    cluster: str
    name: Hostname
    ttl_seconds: int | None
    answers: tuple[Behind, ...]
    why: str
    node: Node | None
    marker: Marker | None
    ours: bool
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...]
    problems: tuple[str, ...]


def known_names(outcome: Outcome) -> frozenset[Hostname]:
    """Every name that a run knows of: in the zone, in the topology, or wanted."""
    seen = outcome.snapshot
    wanted = (r.name for r in outcome.desired.records if r.type is RecordType.A)
    return frozenset((*seen.names_with_address, *seen.topology.names, *wanted))


def explain(name: Hostname, outcome: Outcome, settings: Settings) -> Explanation:
    """Explains a known name from a run that only looked."""
    seen = outcome.snapshot
    record = next((r for r in seen.records if r.key == (name, RecordType.A)), None)
    marker = markers_by_name(seen.records).get(name)
    refusals = tuple(r for r in outcome.refusals if r.change.subject == name)
    addresses = [Address(value) for value in record.values] if record else []
    return Explanation(
        cluster=settings.replication_group_id,
        name=name,
        ttl_seconds=record.ttl if record else None,
        answers=tuple(behind(one, name, outcome, settings) for one in addresses),
        why=reason(name, outcome, marker, refusals),
        # a fleet's one name is no node's
        node=None
        if settings.fleet_name
        else next((n for n in seen.topology.nodes if n.hostname == name), None),
        marker=marker,
        ours=marker is not None and marker.owner == settings.owner,
        changes=tuple(c for c in outcome.plan.changes if c.subject == name),
        steps=tuple(s for s in outcome.plan.stand_ins.steps if s.node == name),
        refusals=refusals,
        problems=seen.problems,
    )


def behind(where: Address, name: Hostname, outcome: Outcome, settings: Settings) -> Behind:
    """Whose an address is: the configuration endpoint may lead to any node's."""
    proxies = outcome.snapshot.fleet.proxies
    proxy = next((p for p in proxies if p.address == where), None)
    endpoint = outcome.snapshot.topology.configuration_endpoint
    if where in settings.pins.get(name, ()):
        return Behind(where, Kind.PINNED, proxy)
    if proxy is None:
        return Behind(where, Kind.NOBODYS, None)
    if name not in {proxy.node, endpoint}:
        return Behind(where, Kind.ANOTHER_NODES, proxy)
    return Behind(where, Kind.STAND_IN if proxy.stand_in else Kind.OWN, proxy)


def reason(
    name: Hostname, outcome: Outcome, marker: Marker | None, refusals: tuple[Refusal, ...]
) -> str:
    """Why the name is as it is."""
    if refusals:
        return f"{refusals[0].rule}: {refusals[0].reason}"
    if name in outcome.desired.why:
        return outcome.desired.why[name]
    if outcome.snapshot.topology.has_member(name):
        return "none of its node's HAProxies is healthy: what it answers stays"
    if marker is not None and marker.absent_since is not None:
        return f"its node is absent: seen so in {marker.absent_reads} of {READS_UNTIL_GONE} reads"
    return "no node has this name" + (", and nothing marks it as ours" if marker is None else "")


def document(found: Explanation) -> dict[str, Any]:
    """The answer for machines; every key is always there."""
    node, marker = found.node, found.marker
    return {
        "cluster": found.cluster,
        "name": found.name,
        "ttl_seconds": found.ttl_seconds,
        "answers": [
            {"address": one.address, "kind": one.kind.value, "task": task_of(one.proxy)}
            for one in found.answers
        ],
        "why": found.why,
        "node": {
            "cache_cluster_id": node.cache_cluster_id,
            "status": node.status,
            "availability_zone": node.availability_zone,
        }
        if node
        else None,
        "owner": marker.owner if marker else None,
        "ours": found.ours,
        "absent_since": stamp(marker.absent_since) if marker else None,
        "absent_reads": marker.absent_reads if marker else 0,
        "next_run": {
            "changes": [change_of(one) for one in found.changes],
            "stand_ins": [step_of(one) for one in found.steps],
            "refused": [
                change_of(one.change) | {"rule": one.rule, "reason": one.reason}
                for one in found.refusals
            ],
        },
        "problems": list(found.problems),
    }


def task_of(proxy: Proxy | None) -> dict[str, Any] | None:
    """A task for machines."""
    if proxy is None:
        return None
    return {
        "arn": proxy.task_arn,
        "node": proxy.node,
        "availability_zone": proxy.availability_zone,
        "health": health(proxy),
        "stand_in": proxy.stand_in,
    }


def rows(found: Explanation) -> list[tuple[str, str]]:
    """The explanation for a person: what, and what of it; a following row of the same has no name."""
    told = [("answers", f"{one.address}  {whose(one)}") for one in found.answers] or [
        ("answers", "nothing: the name does not exist in the zone")
    ]
    if found.ttl_seconds is not None:
        told.append(("ttl", f"{found.ttl_seconds} s"))
    told.append(("why", found.why))
    if found.node is not None:
        node = found.node
        told.append(("node", f"{node.cache_cluster_id}, {node.status}, {node.availability_zone}"))
    told.append(("owner", owned(found)))
    following = [str(change) for change in visible_changes(found.changes)]
    following += [str(step) for step in found.steps]
    refused = visible_changes(refusal.change for refusal in found.refusals)
    following += [f"! refused: {change.summary}" for change in refused]
    told += [("next run", text) for text in following or ["changes nothing"]]
    told += [("not read", problem) for problem in found.problems]
    return [
        ("" if i and what == told[i - 1][0] else what, text) for i, (what, text) in enumerate(told)
    ]


def whose(one: Behind) -> str:
    """The task behind an address, for a person."""
    if one.proxy is None:
        return "pinned by hand" if one.kind is Kind.PINNED else "nobody's: no task has it"
    task = one.proxy.task_arn.rpartition("/")[2]
    kind = {
        Kind.OWN: "HAProxy",
        Kind.STAND_IN: "stand-in",
        Kind.PINNED: "pinned by hand, HAProxy",
        Kind.ANOTHER_NODES: "ANOTHER NODE'S HAProxy",
        Kind.NOBODYS: "",
    }[one.kind]
    label = one.proxy.node.partition(".")[0].replace("*", "all nodes")
    return f"{kind} {task} of {label} in {one.proxy.availability_zone}, {health(one.proxy)}"


def owned(found: Explanation) -> str:
    """Who owns the name, for a person, and since when its node is absent."""
    if found.marker is None:
        return "nobody: no marker, so it is never changed (take it over with --take-over)"
    marker = found.marker
    who = f"{marker.owner} ({'this deployment' if found.ours else 'another: never changed by us'})"
    if marker.absent_since is None:
        return who
    times = f"{marker.absent_reads} of {READS_UNTIL_GONE} reads"
    return f"{who}; node absent since {stamp(marker.absent_since)}, {times}"


def health(proxy: Proxy) -> str:
    """What a task's health check says."""
    return "healthy" if proxy.healthy else "starting" if proxy.starting else "unhealthy"


def stamp(when: datetime | None) -> str | None:
    """A time as the marker has it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None
