"""From what a walk met, and what a client should find, to a verdict for each name. Pure.

The first cause wins: a name that leads to the wrong proxy is that, whatever the node there says.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nodeway_runtime.model.topology import Hostname
from nodeway_runtime.paths.cluster_view import Member
from nodeway_runtime.paths.report import Path, Row
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.paths.trace import AddressTrace, Failure, NameTrace
from nodeway_runtime.paths.verdicts import MEANINGS, SEVERITY, Verdict

EXPIRES_SOON_DAYS = 14
CACHES = ".cache.amazonaws.com"
"""How ElastiCache's own names end; in China they go on."""
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
"""Troubles of a path that mean one thing, wherever the name leads."""
ANSWERED = {Failure.NONE, Failure.NOT_READY, Failure.BAD_LOGIN, Failure.NO_PERMISSION}
"""What is met on a path that leads to a node."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A verdict, and the words that go with it."""

    verdict: Verdict
    detail: str = ""


def diagnose(expected: Targets, walked: Sequence[NameTrace]) -> tuple[Row, ...]:
    """A row for each name, in the map's order; a name that nobody walked says so."""
    by_name = {one.name: one for one in walked}
    context = Context(expected, members_by_id(walked), sees_zone(expected, walked))
    return tuple(
        _row(name, by_name[name], context) if name in by_name else Row(name, Verdict.NOT_WALKED)
        for name in expected.names
    )


def members_by_id(walked: Iterable[NameTrace]) -> dict[str, Member]:
    """The cluster as most of its nodes tell it.

    A node of another cluster that was mixed in is outvoted by those that belong there.
    """
    views = Counter(
        walk.reply.members
        for one in walked
        for walk in one.traces
        if walk.reply.members is not None
    )
    if not views:
        return {}
    # views of one cluster differ by the moment: they are of one when they share a node
    ours = max(
        views,
        key=lambda view: sum(n for other, n in views.items() if node_ids(view) & node_ids(other)),
    )
    votes: dict[str, Counter[str]] = {}
    told: dict[tuple[str, str], Member] = {}
    for view, count in views.items():
        if node_ids(view) & node_ids(ours):
            for member in view:
                # each view counts shards in its own order, and knows roles as of its own moment
                votes.setdefault(member.node_id, Counter())[member.endpoint] += count
                told.setdefault((member.node_id, member.endpoint), member)
    return {node_id: told[node_id, one.most_common(1)[0][0]] for node_id, one in votes.items()}


def sees_zone(expected: Targets, walked: Iterable[NameTrace]) -> bool:
    """Whether any name leads this network to where the zone, or a task, is."""
    ours = {one.address for one in expected.proxies}
    ours |= {one for found in (expected.records or {}).values() for one in found}
    return any(walk.address in ours for one in walked for walk in one.traces)


def node_ids(view: Iterable[Member]) -> frozenset[str]:
    """The nodes that a view names."""
    return frozenset(member.node_id for member in view)


@dataclass(frozen=True, slots=True)
class Context:
    """What a path is judged by, beside what was met on it."""

    expected: Targets
    members: Mapping[str, Member]
    sees_zone: bool


def _row(name: Hostname, walked: NameTrace, context: Context) -> Row:
    expected = context.expected
    if not walked.traces:
        found = _diagnose_unresolved(name, walked, expected)
        return Row(
            name,
            found.verdict,
            detail=found.detail,
            resolve_milliseconds=walked.resolve_milliseconds,
        )
    judged = [_diagnose_path(name, walk, context) for walk in walked.traces]
    paths = tuple(
        Path(
            address=walk.address,
            proxy=expected.proxy_at(walk.address),
            verdict=one.verdict,
            reached=walk.reached,
            detail=one.detail,
            connect_milliseconds=walk.milliseconds.get("connect"),
            tls_milliseconds=walk.milliseconds.get("tls"),
            answer_milliseconds=walk.milliseconds.get("answer"),
        )
        for walk, one in zip(walked.traces, judged, strict=True)
    )
    worst = max(paths, key=lambda path: SEVERITY[MEANINGS[path.verdict].state])
    role, node_id = _identify(name, walked, expected)
    return Row(
        name,
        worst.verdict,
        paths,
        detail=worst.detail,
        role=role,
        shard=shard_of(name),
        node_id=node_id,
        resolve_milliseconds=walked.resolve_milliseconds,
    )


def shard_of(name: str) -> str:
    """The shard in a name that ElastiCache made (GROUP-SHARD-NODE), else nothing."""
    words = name.partition(".")[0].rsplit("-", 2)
    return words[1] if len(words) == 3 and words[1].isdecimal() else ""  # noqa: PLR2004 (its three parts)


def _identify(name: Hostname, walked: NameTrace, expected: Targets) -> tuple[str, str]:
    """The role and id of a name's node; an endpoint is no node's."""
    if name == expected.endpoint:
        return "endpoint", ""
    said = next((walk.reply for walk in walked.traces if walk.reply.node_id), None)
    if said is None:
        return "", ""
    role = "primary" if said.counters and said.counters.primary else "replica"
    return role if said.counters else "", said.node_id or ""


def _diagnose_unresolved(name: Hostname, walked: NameTrace, expected: Targets) -> Diagnosis:
    """A name without an address, by what the zone has."""
    if walked.failure is Failure.RESOLVER_SILENT:
        return Diagnosis(Verdict.RESOLVER_SILENT, walked.detail)
    record = expected.record(name)
    if record is None:
        return Diagnosis(Verdict.NAME_NOT_FOUND, walked.detail)
    if record:
        return Diagnosis(Verdict.CACHED_NXDOMAIN, f"the record says {', '.join(record)}")
    return Diagnosis(Verdict.MISSING_RECORD)


def _diagnose_path(name: Hostname, walk: AddressTrace, context: Context) -> Diagnosis:
    for stage in (
        _check_routing,
        _check_reachability,
        _check_tls,
        _check_identity,
        _check_announcements,
    ):
        if found := stage(name, walk, context):
            return found
    if walk.failure is Failure.NO_PERMISSION:
        return Diagnosis(Verdict.NO_PERMISSION, walk.detail)
    if walk.certificate_days is not None and walk.certificate_days < EXPIRES_SOON_DAYS:
        return Diagnosis(Verdict.CERTIFICATE_EXPIRES_SOON, f"in {walk.certificate_days:.1f} days")
    return Diagnosis(Verdict.OK)


def _check_routing(name: Hostname, walk: AddressTrace, context: Context) -> Diagnosis | None:
    """The address is another node's proxy; with one proxy for all names, and for the endpoint, none is."""
    expected = context.expected
    proxy = expected.proxy_at(walk.address)
    if proxy is None or expected.one_name or name in {expected.endpoint, proxy.node}:
        return None
    return Diagnosis(Verdict.WRONG_PROXY, f"{walk.address} is the proxy of {label(proxy.node)}")


def _check_reachability(name: Hostname, walk: AddressTrace, context: Context) -> Diagnosis | None:
    """Nobody takes the connection, or nobody of ours: a network that reaches the nodes without us needs no zone."""
    record = context.expected.record(name)
    where = f"{walk.address}: {walk.detail}"
    told = f"the record says {', '.join(record)}" if record else "the zone has no record"
    if record is not None and not context.sees_zone and walk.failure not in ANSWERED:
        return Diagnosis(Verdict.ZONE_NOT_SEEN, f"{where}; {told}")
    if walk.failure not in {Failure.REFUSED, Failure.UNREACHABLE}:
        return None
    if record is None or walk.address in record:
        return Diagnosis(Verdict.DEAD_PROXY, where)
    return Diagnosis(Verdict.STALE_ANSWER, f"{where}; {told}")


def _check_tls(_: Hostname, walk: AddressTrace, context: Context) -> Diagnosis | None:
    """Nobody, or somebody else, proves to be of this name, or answers."""
    if (
        walk.failure in {Failure.TLS_CLOSED, Failure.TLS_SILENT}
        and context.expected.proxies_see_zone
    ):
        return Diagnosis(Verdict.PROXY_LOOPS, f"{walk.address}: {walk.detail}")
    if walk.failure is Failure.OTHER_NAME:
        theirs = any(CACHES in one for one in walk.certificate_names)
        verdict = Verdict.CLUSTERS_MIXED if theirs else Verdict.CERTIFICATE_WRONG
        names = ", ".join(walk.certificate_names) or "other names"
        return Diagnosis(verdict, f"{walk.address} has a certificate for {names}")
    if walk.failure in FAILURE_VERDICTS:
        return Diagnosis(FAILURE_VERDICTS[walk.failure], f"{walk.address}: {walk.detail}")
    return None


def _check_identity(name: Hostname, walk: AddressTrace, context: Context) -> Diagnosis | None:
    """The node that answers is not the one that the name promises."""
    node_id, zone = walk.reply.node_id, f".{context.expected.zone}"
    if node_id is None or not context.members:
        return None
    itself = context.members.get(node_id)
    if itself is None:
        return Diagnosis(Verdict.CLUSTERS_MIXED, f"{walk.address}: a node that no other one knows")
    named = itself.endpoint.endswith(zone) and name != context.expected.endpoint
    if named and itself.endpoint != name:
        return Diagnosis(Verdict.WRONG_PROXY, f"{walk.address} leads to {label(itself.endpoint)}")
    return None


def _check_announcements(name: Hostname, walk: AddressTrace, context: Context) -> Diagnosis | None:
    """Clients are sent elsewhere: to this node by all others, or to all others by this node."""
    itself = context.members.get(walk.reply.node_id or "")
    if itself is not None and name != context.expected.endpoint:
        if itself.is_address:
            told = itself.endpoint.strip("?") or "no name"
            return Diagnosis(Verdict.ANNOUNCES_IP, f"it announces {told}")
        if not itself.endpoint.endswith(f".{context.expected.zone}"):
            return Diagnosis(Verdict.ANNOUNCES_ELSEWHERE, f"it announces {itself.endpoint}")
    for told_of in walk.reply.members or ():
        # where all say so, it is the other node's own row
        known = context.members.get(told_of.node_id)
        if told_of.is_address and known is not None and not known.is_address:
            return Diagnosis(Verdict.ANNOUNCES_IP, f"it sends clients to {told_of.endpoint}")
    return None


def label(name: str) -> str:
    """What people call a node."""
    return name.partition(".")[0]
