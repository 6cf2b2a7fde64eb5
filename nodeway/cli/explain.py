"""One name: its addresses and their tasks, the reason, the owner, and what the next run does. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from nodeway.cli.resync_output import change_keys, step_keys
from nodeway_runtime.model.changes import Change
from nodeway_runtime.model.ownership import READS_UNTIL_GONE, Marker, markers_by_name
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.steps import Step
from nodeway_runtime.model.topology import Address, Hostname, Node, Proxy, RecordType
from nodeway_runtime.planner.guard import Refusal
from nodeway_runtime.planner.plan import visible_changes
from nodeway_runtime.planner.reconcile import Outcome


class Kind(StrEnum):
    """Which proxy an address belongs to."""

    OWN = "own"
    STAND_IN = "stand-in"
    PINNED = "pinned"
    OTHER_NODE = "another node's"
    UNKNOWN = "nobody's"


@dataclass(frozen=True, slots=True)
class NameAddress:
    """An address of the name, and the task that has it."""

    address: Address
    kind: Kind
    proxy: Proxy | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a dry run shows about a name."""

    cluster: str
    name: Hostname
    ttl_seconds: int | None
    addresses: tuple[NameAddress, ...]
    why: str
    node: Node | None
    marker: Marker | None
    ours: bool
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...]
    problems: tuple[str, ...]


def known_names(outcome: Outcome) -> frozenset[Hostname]:
    """Returns every name of the zone, of the topology, and of the desired records."""
    snapshot = outcome.snapshot
    desired = (r.name for r in outcome.desired.records if r.type is RecordType.A)
    return frozenset((*snapshot.names_with_address, *snapshot.topology.names, *desired))


def explain(name: Hostname, outcome: Outcome, settings: Settings) -> Explanation:
    """Returns the explanation of a known name from a dry run."""
    snapshot = outcome.snapshot
    record = next((r for r in snapshot.records if r.key == (name, RecordType.A)), None)
    marker = markers_by_name(snapshot.records).get(name)
    refusals = tuple(r for r in outcome.refusals if r.change.subject == name)
    addresses = [Address(value) for value in record.values] if record else []
    return Explanation(
        cluster=settings.replication_group_id,
        name=name,
        ttl_seconds=record.ttl if record else None,
        addresses=tuple(find_task(one, name, outcome, settings) for one in addresses),
        why=find_reason(name, outcome, marker, refusals),
        # a fleet's one name is no node's
        node=None
        if settings.fleet_name
        else next((n for n in snapshot.topology.nodes if n.hostname == name), None),
        marker=marker,
        ours=marker is not None and marker.owner == settings.owner,
        changes=tuple(c for c in outcome.plan.changes if c.subject == name),
        steps=tuple(s for s in outcome.plan.stand_ins.steps if s.node == name),
        refusals=refusals,
        problems=snapshot.problems,
    )


def find_task(
    address: Address, name: Hostname, outcome: Outcome, settings: Settings
) -> NameAddress:
    """Returns the task that has an address. The configuration endpoint may lead to any node's task."""
    proxies = outcome.snapshot.fleet.proxies
    proxy = next((p for p in proxies if p.address == address), None)
    endpoint = outcome.snapshot.topology.configuration_endpoint
    if address in settings.pins.get(name, ()):
        return NameAddress(address, Kind.PINNED, proxy)
    if proxy is None:
        return NameAddress(address, Kind.UNKNOWN, None)
    if name not in {proxy.node, endpoint}:
        return NameAddress(address, Kind.OTHER_NODE, proxy)
    return NameAddress(address, Kind.STAND_IN if proxy.stand_in else Kind.OWN, proxy)


def find_reason(
    name: Hostname, outcome: Outcome, marker: Marker | None, refusals: tuple[Refusal, ...]
) -> str:
    """Returns why the name has its addresses."""
    if refusals:
        return f"{refusals[0].rule}: {refusals[0].reason}"
    if name in outcome.desired.why:
        return outcome.desired.why[name]
    if outcome.snapshot.topology.has_member(name):
        return "none of its node's HAProxies is healthy: the record stays"
    if marker is not None and marker.absent_since is not None:
        return f"its node was absent in {marker.absent_reads} of {READS_UNTIL_GONE} reads"
    return "no node has this name" + (", and nothing marks it as ours" if marker is None else "")


def build_document(explanation: Explanation) -> dict[str, Any]:
    """Returns the JSON document; every key is always present."""
    node, marker = explanation.node, explanation.marker
    return {
        "cluster": explanation.cluster,
        "name": explanation.name,
        "ttl_seconds": explanation.ttl_seconds,
        "answers": [
            {"address": one.address, "kind": one.kind.value, "task": task_fields(one.proxy)}
            for one in explanation.addresses
        ],
        "why": explanation.why,
        "node": {
            "cache_cluster_id": node.cache_cluster_id,
            "status": node.status,
            "availability_zone": node.availability_zone,
        }
        if node
        else None,
        "owner": marker.owner if marker else None,
        "ours": explanation.ours,
        "absent_since": format_time(marker.absent_since) if marker else None,
        "absent_reads": marker.absent_reads if marker else 0,
        "next_run": {
            "changes": [change_keys(one) for one in explanation.changes],
            "stand_ins": [step_keys(one) for one in explanation.steps],
            "refused": [
                change_keys(one.change) | {"rule": one.rule, "reason": one.reason}
                for one in explanation.refusals
            ],
        },
        "problems": list(explanation.problems),
    }


def task_fields(proxy: Proxy | None) -> dict[str, Any] | None:
    """Returns a task for the document."""
    if proxy is None:
        return None
    return {
        "arn": proxy.task_arn,
        "node": proxy.node,
        "availability_zone": proxy.availability_zone,
        "health": describe_health(proxy),
        "stand_in": proxy.stand_in,
    }


def make_rows(explanation: Explanation) -> list[tuple[str, str]]:
    """Returns rows of a key and a text; a key is empty where the row before has the same."""
    rows = [
        ("answers", f"{one.address}  {describe_task(one)}") for one in explanation.addresses
    ] or [("answers", "nothing: the name does not exist in the zone")]
    if explanation.ttl_seconds is not None:
        rows.append(("ttl", f"{explanation.ttl_seconds} s"))
    rows.append(("why", explanation.why))
    if explanation.node is not None:
        node = explanation.node
        rows.append(("node", f"{node.cache_cluster_id}, {node.status}, {node.availability_zone}"))
    rows.append(("owner", describe_owner(explanation)))
    next_run = [str(change) for change in visible_changes(explanation.changes)]
    next_run += [str(step) for step in explanation.steps]
    refused = visible_changes(refusal.change for refusal in explanation.refusals)
    next_run += [f"! refused: {change.summary}" for change in refused]
    rows += [("next run", text) for text in next_run or ["changes nothing"]]
    rows += [("not read", problem) for problem in explanation.problems]
    return [
        ("" if i and what == rows[i - 1][0] else what, text) for i, (what, text) in enumerate(rows)
    ]


def describe_task(one: NameAddress) -> str:
    """Returns the description of the task that has an address."""
    if one.proxy is None:
        return "pinned by hand" if one.kind is Kind.PINNED else "nobody's: no task has it"
    task = one.proxy.task_arn.rpartition("/")[2]
    kind = {
        Kind.OWN: "HAProxy",
        Kind.STAND_IN: "stand-in",
        Kind.PINNED: "pinned by hand, HAProxy",
        Kind.OTHER_NODE: "ANOTHER NODE'S HAProxy",
        Kind.UNKNOWN: "",
    }[one.kind]
    label = one.proxy.node.partition(".")[0].replace("*", "all nodes")
    return (
        f"{kind} {task} of {label} in {one.proxy.availability_zone}, {describe_health(one.proxy)}"
    )


def describe_owner(explanation: Explanation) -> str:
    """Returns who owns the name, and since when its node is absent."""
    if explanation.marker is None:
        return "nobody: no marker, so it is never changed (take it over with --take-over)"
    marker = explanation.marker
    who = f"{marker.owner} ({'this deployment' if explanation.ours else 'another: never changed by us'})"
    if marker.absent_since is None:
        return who
    times = f"{marker.absent_reads} of {READS_UNTIL_GONE} reads"
    return f"{who}; node absent since {format_time(marker.absent_since)}, {times}"


def describe_health(proxy: Proxy) -> str:
    """Returns the state of a task's health check."""
    return "healthy" if proxy.healthy else "starting" if proxy.starting else "unhealthy"


def format_time(when: datetime | None) -> str | None:
    """Returns a time in the format of the markers."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None
