"""From what a walk met, and what a client should find, to a verdict for each name. Pure.

The first cause wins: a name that leads to the wrong proxy is that, whatever the node there says.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nodeway_runtime.model.topology import Hostname
from nodeway_runtime.paths.cluster_view import Member
from nodeway_runtime.paths.report import Path, Row
from nodeway_runtime.paths.targets import Expected
from nodeway_runtime.paths.trace import Trouble, Walk, Walked
from nodeway_runtime.paths.verdicts import MEANINGS, WEIGHT, Verdict

EXPIRES_SOON_DAYS = 14
CACHES = ".cache.amazonaws.com"
"""How ElastiCache's own names end; in China they go on."""
PLAIN = {
    Trouble.TLS_SILENT: Verdict.NODE_DOWN,
    Trouble.TLS_CLOSED: Verdict.NODE_DOWN,
    Trouble.EXPIRED: Verdict.CERTIFICATE_EXPIRED,
    Trouble.UNTRUSTED: Verdict.CERTIFICATE_WRONG,
    Trouble.CLOSED: Verdict.NODE_DOWN,
    Trouble.SILENT: Verdict.NODE_SILENT,
    Trouble.NOT_READY: Verdict.NODE_NOT_READY,
    Trouble.BAD_LOGIN: Verdict.WRONG_PASSWORD,
}
"""Troubles of a path that mean one thing, wherever the name leads."""
ANSWERED = {Trouble.NONE, Trouble.NOT_READY, Trouble.BAD_LOGIN, Trouble.NO_PERMISSION}
"""What is met on a path that leads to a node."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and the words that go with it."""

    verdict: Verdict
    detail: str = ""


def rows_of(expected: Expected, walked: Sequence[Walked]) -> tuple[Row, ...]:
    """A row for each name, in the map's order; a name that nobody walked says so."""
    by_name = {one.name: one for one in walked}
    world = World(expected, members_by_id(walked), sees_zone(expected, walked))
    return tuple(
        _row(name, by_name[name], world) if name in by_name else Row(name, Verdict.NOT_WALKED)
        for name in expected.names
    )


def members_by_id(walked: Iterable[Walked]) -> dict[str, Member]:
    """The cluster as most of its nodes tell it.

    A node of another cluster that was mixed in is outvoted by those that belong there.
    """
    views = Counter(
        walk.said.members for one in walked for walk in one.walks if walk.said.members is not None
    )
    if not views:
        return {}
    # views of one cluster differ by the moment: they are of one when they share a node
    ours = max(
        views, key=lambda view: sum(n for other, n in views.items() if ids(view) & ids(other))
    )
    votes: dict[str, Counter[str]] = {}
    told: dict[tuple[str, str], Member] = {}
    for view, count in views.items():
        if ids(view) & ids(ours):
            for member in view:
                # each view counts shards in its own order, and knows roles as of its own moment
                votes.setdefault(member.node_id, Counter())[member.endpoint] += count
                told.setdefault((member.node_id, member.endpoint), member)
    return {node_id: told[node_id, one.most_common(1)[0][0]] for node_id, one in votes.items()}


def sees_zone(expected: Expected, walked: Iterable[Walked]) -> bool:
    """Whether any name leads this network to where the zone, or a task, is."""
    ours = {one.address for one in expected.proxies}
    ours |= {one for found in (expected.records or {}).values() for one in found}
    return any(walk.address in ours for one in walked for walk in one.walks)


def ids(view: Iterable[Member]) -> frozenset[str]:
    """The nodes that a view names."""
    return frozenset(member.node_id for member in view)


@dataclass(frozen=True, slots=True)
class World:
    """What a path is judged by, beside what was met on it."""

    expected: Expected
    members: Mapping[str, Member]
    sees_zone: bool


def _row(name: Hostname, walked: Walked, world: World) -> Row:
    expected = world.expected
    if not walked.walks:
        found = _unresolved(name, walked, expected)
        return Row(
            name,
            found.verdict,
            detail=found.detail,
            resolve_milliseconds=walked.resolve_milliseconds,
        )
    judged = [_path_verdict(name, walk, world) for walk in walked.walks]
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
        for walk, one in zip(walked.walks, judged, strict=True)
    )
    worst = max(paths, key=lambda path: WEIGHT[MEANINGS[path.verdict].state])
    role, node_id = _who(name, walked, expected)
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


def _who(name: Hostname, walked: Walked, expected: Expected) -> tuple[str, str]:
    """The role and id of a name's node; an endpoint is no node's."""
    if name == expected.endpoint:
        return "endpoint", ""
    said = next((walk.said for walk in walked.walks if walk.said.node_id), None)
    if said is None:
        return "", ""
    role = "primary" if said.counters and said.counters.primary else "replica"
    return role if said.counters else "", said.node_id or ""


def _unresolved(name: Hostname, walked: Walked, expected: Expected) -> Judged:
    """A name without an address, by what the zone has."""
    if walked.trouble is Trouble.RESOLVER_SILENT:
        return Judged(Verdict.RESOLVER_SILENT, walked.detail)
    record = expected.record(name)
    if record is None:
        return Judged(Verdict.NAME_NOT_FOUND, walked.detail)
    if record:
        return Judged(Verdict.CACHED_NXDOMAIN, f"the record says {', '.join(record)}")
    return Judged(Verdict.MISSING_RECORD)


def _path_verdict(name: Hostname, walk: Walk, world: World) -> Judged:
    for stage in (_misled, _unreached, _unproven, _someone_else, _misleading):
        if found := stage(name, walk, world):
            return found
    if walk.trouble is Trouble.NO_PERMISSION:
        return Judged(Verdict.NO_PERMISSION, walk.detail)
    if walk.certificate_days is not None and walk.certificate_days < EXPIRES_SOON_DAYS:
        return Judged(Verdict.CERTIFICATE_EXPIRES_SOON, f"in {walk.certificate_days:.1f} days")
    return Judged(Verdict.OK)


def _misled(name: Hostname, walk: Walk, world: World) -> Judged | None:
    """The address is another node's proxy; with one proxy for all names, and for the endpoint, none is."""
    expected = world.expected
    proxy = expected.proxy_at(walk.address)
    if proxy is None or expected.one_name or name in {expected.endpoint, proxy.node}:
        return None
    return Judged(Verdict.WRONG_PROXY, f"{walk.address} is the proxy of {label(proxy.node)}")


def _unreached(name: Hostname, walk: Walk, world: World) -> Judged | None:
    """Nobody takes the connection, or nobody of ours: a network that reaches the nodes without us needs no zone."""
    record = world.expected.record(name)
    where = f"{walk.address}: {walk.detail}"
    told = f"the record says {', '.join(record)}" if record else "the zone has no record"
    if record is not None and not world.sees_zone and walk.trouble not in ANSWERED:
        return Judged(Verdict.ZONE_NOT_SEEN, f"{where}; {told}")
    if walk.trouble not in {Trouble.REFUSED, Trouble.UNREACHABLE}:
        return None
    if record is None or walk.address in record:
        return Judged(Verdict.DEAD_PROXY, where)
    return Judged(Verdict.STALE_ANSWER, f"{where}; {told}")


def _unproven(_: Hostname, walk: Walk, world: World) -> Judged | None:
    """Nobody, or somebody else, proves to be of this name, or answers."""
    if walk.trouble in {Trouble.TLS_CLOSED, Trouble.TLS_SILENT} and world.expected.proxies_see_zone:
        return Judged(Verdict.PROXY_LOOPS, f"{walk.address}: {walk.detail}")
    if walk.trouble is Trouble.OTHER_NAME:
        theirs = any(CACHES in one for one in walk.certificate_names)
        verdict = Verdict.CLUSTERS_MIXED if theirs else Verdict.CERTIFICATE_WRONG
        names = ", ".join(walk.certificate_names) or "other names"
        return Judged(verdict, f"{walk.address} has a certificate for {names}")
    if walk.trouble in PLAIN:
        return Judged(PLAIN[walk.trouble], f"{walk.address}: {walk.detail}")
    return None


def _someone_else(name: Hostname, walk: Walk, world: World) -> Judged | None:
    """The node that answers is not the one that the name promises."""
    node_id, zone = walk.said.node_id, f".{world.expected.zone}"
    if node_id is None or not world.members:
        return None
    itself = world.members.get(node_id)
    if itself is None:
        return Judged(Verdict.CLUSTERS_MIXED, f"{walk.address}: a node that no other one knows")
    named = itself.endpoint.endswith(zone) and name != world.expected.endpoint
    if named and itself.endpoint != name:
        return Judged(Verdict.WRONG_PROXY, f"{walk.address} leads to {label(itself.endpoint)}")
    return None


def _misleading(name: Hostname, walk: Walk, world: World) -> Judged | None:
    """Clients are sent elsewhere: to this node by all others, or to all others by this node."""
    itself = world.members.get(walk.said.node_id or "")
    if itself is not None and name != world.expected.endpoint:
        if itself.is_address:
            told = itself.endpoint.strip("?") or "no name"
            return Judged(Verdict.ANNOUNCES_IP, f"it announces {told}")
        if not itself.endpoint.endswith(f".{world.expected.zone}"):
            return Judged(Verdict.ANNOUNCES_ELSEWHERE, f"it announces {itself.endpoint}")
    for told_of in walk.said.members or ():
        # where all say so, it is the other node's own row
        known = world.members.get(told_of.node_id)
        if told_of.is_address and known is not None and not known.is_address:
            return Judged(Verdict.ANNOUNCES_IP, f"it sends clients to {told_of.endpoint}")
    return None


def label(name: str) -> str:
    """What people call a node."""
    return name.partition(".")[0]
