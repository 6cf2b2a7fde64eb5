"""Gives each name a verdict, from its trace and the targets. Pure.

The checks of a path are ordered; the first one that finds a cause decides.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nodeway_runtime.model.topology import Hostname
from nodeway_runtime.paths.cluster_view import Member
from nodeway_runtime.paths.report import Path, Row
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.paths.trace import AddressTrace, Failure, NameTrace, Phase
from nodeway_runtime.paths.verdicts import MEANINGS, SEVERITY, Verdict

EXPIRES_SOON_DAYS = 14
CACHES = ".cache.amazonaws.com"
"""Part of each ElastiCache name, at its end except in China."""
FAILURE_VERDICTS = {
    Failure.TLS_SILENT: Verdict.NODE_DOWN,
    Failure.TLS_CLOSED: Verdict.NODE_DOWN,
    Failure.EXPIRED: Verdict.CERTIFICATE_EXPIRED,
    Failure.UNTRUSTED: Verdict.CERTIFICATE_WRONG,
    Failure.CLOSED: Verdict.NODE_DOWN,
    Failure.SILENT: Verdict.NODE_SILENT,
    Failure.NOT_READY: Verdict.NODE_NOT_READY,
    Failure.BAD_LOGIN: Verdict.WRONG_PASSWORD,
}
"""Failures with one meaning, whatever proxy the name leads to."""
ANSWERED = {Failure.NONE, Failure.NOT_READY, Failure.BAD_LOGIN, Failure.NO_PERMISSION}
"""Failures after a node has answered."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A verdict and its detail."""

    verdict: Verdict
    detail: str = ""


def diagnose(targets: Targets, traces: Sequence[NameTrace]) -> tuple[Row, ...]:
    """A row for each target, in their order; NOT_WALKED for a name without a trace."""
    by_name = {one.name: one for one in traces}
    context = Context(targets, members_by_id(traces), sees_zone(targets, traces))
    return tuple(
        _row(name, by_name[name], context) if name in by_name else Row(name, Verdict.NOT_WALKED)
        for name in targets.names
    )


def members_by_id(traces: Iterable[NameTrace]) -> dict[str, Member]:
    """The members of the cluster by node id, as the majority of the replies announces them.

    Replies of nodes of another cluster are outvoted.
    """
    views = Counter(
        trace.reply.members
        for one in traces
        for trace in one.traces
        if trace.reply.members is not None
    )
    if not views:
        return {}
    # Views of one cluster may differ, but have nodes in common.
    ours = max(
        views,
        key=lambda view: sum(n for other, n in views.items() if node_ids(view) & node_ids(other)),
    )
    votes: dict[str, Counter[str]] = {}
    announced: dict[tuple[str, str], Member] = {}
    for view, count in views.items():
        if node_ids(view) & node_ids(ours):
            for member in view:
                # Shard numbers and roles differ between views, so only the endpoint is counted.
                votes.setdefault(member.node_id, Counter())[member.endpoint] += count
                announced.setdefault((member.node_id, member.endpoint), member)
    return {node_id: announced[node_id, one.most_common(1)[0][0]] for node_id, one in votes.items()}


def sees_zone(targets: Targets, traces: Iterable[NameTrace]) -> bool:
    """Whether any trace has an address of the zone or of a task."""
    ours = {one.address for one in targets.proxies}
    ours |= {one for found in (targets.records or {}).values() for one in found}
    return any(trace.address in ours for one in traces for trace in one.traces)


def node_ids(view: Iterable[Member]) -> frozenset[str]:
    """The node ids in a view."""
    return frozenset(member.node_id for member in view)


@dataclass(frozen=True, slots=True)
class Context:
    """What a path is judged by besides its trace."""

    targets: Targets
    members: Mapping[str, Member]
    sees_zone: bool


def _row(name: Hostname, trace: NameTrace, context: Context) -> Row:
    targets = context.targets
    if not trace.traces:
        found = _diagnose_unresolved(name, trace, targets)
        return Row(
            name,
            found.verdict,
            detail=found.detail,
            resolve_milliseconds=trace.resolve_milliseconds,
        )
    diagnoses = [_diagnose_path(name, one, context) for one in trace.traces]
    paths = tuple(
        Path(
            address=one.address,
            proxy=targets.proxy_at(one.address),
            verdict=diagnosis.verdict,
            reached=one.reached,
            detail=diagnosis.detail,
            connect_milliseconds=one.milliseconds.get(Phase.CONNECT),
            tls_milliseconds=one.milliseconds.get(Phase.TLS),
            answer_milliseconds=one.milliseconds.get(Phase.ANSWER),
        )
        for one, diagnosis in zip(trace.traces, diagnoses, strict=True)
    )
    worst = max(paths, key=lambda path: SEVERITY[MEANINGS[path.verdict].state])
    role, node_id = _identify(name, trace, targets)
    return Row(
        name,
        worst.verdict,
        paths,
        detail=worst.detail,
        role=role,
        shard=shard_of(name),
        node_id=node_id,
        resolve_milliseconds=trace.resolve_milliseconds,
    )


def shard_of(name: str) -> str:
    """The shard in a name of the form GROUP-SHARD-NODE, else an empty string."""
    words = name.partition(".")[0].rsplit("-", 2)
    return words[1] if len(words) == 3 and words[1].isdecimal() else ""  # noqa: PLR2004 (its three parts)


def _identify(name: Hostname, trace: NameTrace, targets: Targets) -> tuple[str, str]:
    """Role and id of the name's node; the configuration endpoint has no id."""
    if name == targets.endpoint:
        return "endpoint", ""
    reply = next((one.reply for one in trace.traces if one.reply.node_id), None)
    if reply is None:
        return "", ""
    role = "primary" if reply.counters and reply.counters.primary else "replica"
    return role if reply.counters else "", reply.node_id or ""


def _diagnose_unresolved(name: Hostname, trace: NameTrace, targets: Targets) -> Diagnosis:
    """The verdict of a name that does not resolve."""
    if trace.failure is Failure.RESOLVER_SILENT:
        return Diagnosis(Verdict.RESOLVER_SILENT, trace.detail)
    record = targets.record(name)
    if record is None:
        return Diagnosis(Verdict.NAME_NOT_FOUND, trace.detail)
    if record:
        return Diagnosis(Verdict.CACHED_NXDOMAIN, f"the record says {', '.join(record)}")
    return Diagnosis(Verdict.MISSING_RECORD)


def _diagnose_path(name: Hostname, trace: AddressTrace, context: Context) -> Diagnosis:
    for stage in (
        _check_routing,
        _check_reachability,
        _check_tls,
        _check_identity,
        _check_announcements,
    ):
        if found := stage(name, trace, context):
            return found
    if trace.failure is Failure.NO_PERMISSION:
        return Diagnosis(Verdict.NO_PERMISSION, trace.detail)
    if trace.certificate_days is not None and trace.certificate_days < EXPIRES_SOON_DAYS:
        return Diagnosis(Verdict.CERTIFICATE_EXPIRES_SOON, f"in {trace.certificate_days:.1f} days")
    return Diagnosis(Verdict.OK)


def _check_routing(name: Hostname, trace: AddressTrace, context: Context) -> Diagnosis | None:
    """Whether the address is another node's proxy. Shared proxies and the configuration endpoint serve all nodes."""
    targets = context.targets
    proxy = targets.proxy_at(trace.address)
    if proxy is None or targets.one_name or name in {targets.endpoint, proxy.node}:
        return None
    return Diagnosis(Verdict.WRONG_PROXY, f"{trace.address} is the proxy of {label(proxy.node)}")


def _check_reachability(name: Hostname, trace: AddressTrace, context: Context) -> Diagnosis | None:
    """Whether nothing accepts the connection, or the network does not see the zone."""
    record = context.targets.record(name)
    where = f"{trace.address}: {trace.detail}"
    record_text = f"the record says {', '.join(record)}" if record else "the zone has no record"
    if record is not None and not context.sees_zone and trace.failure not in ANSWERED:
        return Diagnosis(Verdict.ZONE_NOT_SEEN, f"{where}; {record_text}")
    if trace.failure not in {Failure.REFUSED, Failure.UNREACHABLE}:
        return None
    if record is None or trace.address in record:
        return Diagnosis(Verdict.DEAD_PROXY, where)
    return Diagnosis(Verdict.STALE_ANSWER, f"{where}; {record_text}")


def _check_tls(_: Hostname, trace: AddressTrace, context: Context) -> Diagnosis | None:
    """Whether TLS or the first command failed."""
    if (
        trace.failure in {Failure.TLS_CLOSED, Failure.TLS_SILENT}
        and context.targets.proxies_see_zone
    ):
        return Diagnosis(Verdict.PROXY_LOOPS, f"{trace.address}: {trace.detail}")
    if trace.failure is Failure.OTHER_NAME:
        theirs = any(CACHES in one for one in trace.certificate_names)
        verdict = Verdict.CLUSTERS_MIXED if theirs else Verdict.CERTIFICATE_WRONG
        names = ", ".join(trace.certificate_names) or "other names"
        return Diagnosis(verdict, f"{trace.address} has a certificate for {names}")
    if trace.failure in FAILURE_VERDICTS:
        return Diagnosis(FAILURE_VERDICTS[trace.failure], f"{trace.address}: {trace.detail}")
    return None


def _check_identity(name: Hostname, trace: AddressTrace, context: Context) -> Diagnosis | None:
    """Whether another node than the name's answers."""
    node_id, zone = trace.reply.node_id, f".{context.targets.zone}"
    if node_id is None or not context.members:
        return None
    itself = context.members.get(node_id)
    if itself is None:
        return Diagnosis(Verdict.CLUSTERS_MIXED, f"{trace.address}: a node that no other one knows")
    named = itself.endpoint.endswith(zone) and name != context.targets.endpoint
    if named and itself.endpoint != name:
        return Diagnosis(Verdict.WRONG_PROXY, f"{trace.address} leads to {label(itself.endpoint)}")
    return None


def _check_announcements(name: Hostname, trace: AddressTrace, context: Context) -> Diagnosis | None:
    """Whether the cluster redirects clients to this node, or this node to others, by unreachable endpoints."""
    itself = context.members.get(trace.reply.node_id or "")
    if itself is not None and name != context.targets.endpoint:
        if itself.is_address:
            endpoint = itself.endpoint.strip("?") or "no name"
            return Diagnosis(Verdict.ANNOUNCES_IP, f"it announces {endpoint}")
        if not itself.endpoint.endswith(f".{context.targets.zone}"):
            return Diagnosis(Verdict.ANNOUNCES_ELSEWHERE, f"it announces {itself.endpoint}")
    for other in trace.reply.members or ():
        # If all nodes announce an address, the other node's own row has the verdict.
        known = context.members.get(other.node_id)
        if other.is_address and known is not None and not known.is_address:
            return Diagnosis(Verdict.ANNOUNCES_IP, f"it sends clients to {other.endpoint}")
    return None


def label(name: str) -> str:
    """The first label of a name."""
    return name.partition(".")[0]
