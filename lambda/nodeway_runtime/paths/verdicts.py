"""Verdicts about a path, each with its state, its meaning and the next step. Pure.

docs/runbook.md describes them in detail under the same names.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What a verdict means for a client that uses the name. DEGRADED: it works, but something needs attention."""

    OK = "ok"
    DEGRADED = "degraded"
    BROKEN = "broken"


SEVERITY = {State.OK: 0, State.DEGRADED: 1, State.BROKEN: 2}


class Verdict(StrEnum):
    """What the probe found, under the name that logs, pages and the runbook use."""

    OK = "ok"
    MISSING_RECORD = "missing_record"
    CACHED_NXDOMAIN = "cached_nxdomain"
    NAME_NOT_FOUND = "name_not_found"
    RESOLVER_SILENT = "resolver_silent"
    ZONE_NOT_SEEN = "zone_not_seen"
    WRONG_PROXY = "wrong_proxy"
    STALE_ANSWER = "stale_answer"
    DEAD_PROXY = "dead_proxy"
    PROXY_LOOPS = "proxy_loops"
    NODE_DOWN = "node_down"
    NODE_SILENT = "node_silent"
    NODE_NOT_READY = "node_not_ready"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_WRONG = "certificate_wrong"
    CERTIFICATE_REFUSED = "certificate_refused"
    CERTIFICATE_EXPIRES_SOON = "certificate_expires_soon"
    CLUSTERS_MIXED = "clusters_mixed"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 (a verdict's name)
    NO_PERMISSION = "no_permission"
    ANNOUNCES_IP = "announces_ip"
    ANNOUNCES_ELSEWHERE = "announces_elsewhere"
    NOT_WALKED = "not_walked"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A verdict for a person: its state, `what` is wrong, and the `next` step."""

    state: State
    what: str
    next: str


MEANINGS: dict[Verdict, Meaning] = {
    Verdict.OK: Meaning(State.OK, "reached", ""),
    Verdict.MISSING_RECORD: Meaning(
        State.BROKEN,
        "the zone has no record for this node",
        "run `nodeway explain`: it says why the resync writes none",
    ),
    Verdict.CACHED_NXDOMAIN: Meaning(
        State.BROKEN,
        "the zone has the record, but this network's resolver still says that the name does not exist",
        "wait until the negative answer expires (5 s of ours, up to 900 s of an older zone), or flush a local cache",
    ),
    Verdict.NAME_NOT_FOUND: Meaning(
        State.BROKEN,
        "the name does not exist for this network's resolver",
        "see with `nodeway explain` whether the zone has it; if so the answer is cached, or the VPC is not associated",
    ),
    Verdict.RESOLVER_SILENT: Meaning(
        State.BROKEN,
        "this network's resolver does not answer",
        "check the VPC's DNS support, and rules of a Resolver outbound endpoint for this zone",
    ),
    Verdict.ZONE_NOT_SEEN: Meaning(
        State.BROKEN,
        "the name leads to no proxy of ours: this network does not see the private zone",
        "associate the client's VPC with the hosted zone (client_vpcs), or look for a resolver rule in front of it",
    ),
    Verdict.WRONG_PROXY: Meaning(
        State.BROKEN,
        "the name leads to another node's proxy",
        "run `nodeway explain`: a pin, or a record that somebody else has changed",
    ),
    Verdict.STALE_ANSWER: Meaning(
        State.BROKEN,
        "the resolver gives an address that the record no longer has",
        "wait for the record's TTL; if it stays, a cache between client and zone keeps answers for too long",
    ),
    Verdict.DEAD_PROXY: Meaning(
        State.BROKEN,
        "nobody answers at the proxy's address",
        "see the task in ECS; if its health is good, look at security groups and routes from the client to the proxy",
    ),
    Verdict.PROXY_LOOPS: Meaning(
        State.BROKEN,
        "the proxies' VPC sees the private zone, so that a proxy connects to itself",
        "disassociate the proxies' VPC from the hosted zone",
    ),
    Verdict.NODE_DOWN: Meaning(
        State.BROKEN,
        "the proxy answers, but it has no node behind it",
        "see the node in ElastiCache (a failover, a reboot?), and the proxy's log for the reason of its check",
    ),
    Verdict.NODE_SILENT: Meaning(
        State.BROKEN,
        "the connection to the node stands, but the node does not answer",
        "see the node's CPU and slow log in ElastiCache; a long script or command blocks it",
    ),
    Verdict.NODE_NOT_READY: Meaning(
        State.BROKEN,
        "the node answers that it is not ready",
        "wait if it is loading or failing over; else see the cluster's state in ElastiCache",
    ),
    Verdict.CERTIFICATE_EXPIRED: Meaning(
        State.BROKEN,
        "the node's certificate has expired",
        "see the service updates in ElastiCache; check this host's clock",
    ),
    Verdict.CERTIFICATE_WRONG: Meaning(
        State.BROKEN,
        "the certificate is not one that is trusted for this name",
        "check the CA file first; then who answers there: `nodeway explain` says where the name leads",
    ),
    Verdict.CERTIFICATE_REFUSED: Meaning(
        State.BROKEN,
        "the proxy's own check refuses the node's TLS, most likely its certificate, and so has no node behind it",
        "see the certificate from the proxies' VPC (openssl s_client); see the image's CA bundle",
    ),
    Verdict.CERTIFICATE_EXPIRES_SOON: Meaning(
        State.DEGRADED,
        "the node's certificate expires within 14 days",
        "see the service updates in ElastiCache, which renews certificates with them",
    ),
    Verdict.CLUSTERS_MIXED: Meaning(
        State.BROKEN,
        "a node of another cluster answers under this name",
        "run `nodeway explain`: a pin, or a record that leads to another cluster's proxy",
    ),
    Verdict.WRONG_PASSWORD: Meaning(
        State.BROKEN,
        "the node refuses the user or the password",
        "compare the secret with the user of the cluster's user group; a rotation may be half done",
    ),
    Verdict.NO_PERMISSION: Meaning(
        State.DEGRADED,
        "the user may log in, but not ask what the probe needs",
        "give it `+ping +info +cluster|myid +cluster|shards +cluster|slots` in its access string",
    ),
    Verdict.ANNOUNCES_IP: Meaning(
        State.BROKEN,
        "the cluster tells clients an IP address for this node, which they cannot reach",
        "set cluster-preferred-endpoint-type to tls-dynamic in the parameter group; TLS must be on",
    ),
    Verdict.ANNOUNCES_ELSEWHERE: Meaning(
        State.BROKEN,
        "the cluster tells clients a name outside of the zone for this node",
        "the cluster was recreated or restored under another name: deploy with -c refresh=true",
    ),
    Verdict.NOT_WALKED: Meaning(
        State.DEGRADED,
        "the run ended before this name's turn",
        "see the probe's duration; raise its memory, or look for what makes every connection slow",
    ),
}
"""The meaning of each verdict."""
