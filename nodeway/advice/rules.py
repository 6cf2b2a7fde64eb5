"""The ways from a client to a cluster's nodes, and the rules that choose one. Pure: words and nothing else.

RULES is the only place where a choice is made: `nodeway advise` walks it, and the decision table of
docs/choosing.md is written from it. Read from the top: the first rule that fits is the advice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class AccessOption(StrEnum):
    """A way from a client to the nodes."""

    PEERING = "VPC peering"
    ROUTES = "routes by Transit Gateway, VPN or Direct Connect"
    LATTICE = "VPC Lattice resource configurations"
    NODEWAY = "Nodeway"
    ENVOY = "Envoy's Redis proxy"
    ONE_PROXY = "one NLB or HAProxy per endpoint"


class Fact(StrEnum):
    """What a choice depends on; each has two values."""

    SERVICE = "service"
    CLUSTER_MODE = "cluster mode"
    CLIENT = "client"
    ROUTES = "full routes"
    OVERLAP = "ranges"
    WHERE = "clients"
    ANSWERS = "MOVED carries"
    NODE_SET = "who follows the nodes"


WORDS: Mapping[tuple[Fact, str], str] = {
    (Fact.SERVICE, "group"): "not Serverless",
    (Fact.SERVICE, "serverless"): "ElastiCache Serverless",
    (Fact.CLUSTER_MODE, "on"): "cluster mode is enabled",
    (Fact.CLUSTER_MODE, "off"): "cluster mode is disabled",
    (Fact.CLIENT, "cluster"): "the client speaks cluster mode",
    (Fact.CLIENT, "plain"): "the client does not speak cluster mode",
    (Fact.ROUTES, "allowed"): "full routes between the networks may be given",
    (Fact.ROUTES, "refused"): "full routes between the networks may not be given",
    (Fact.OVERLAP, "apart"): "the address ranges do not overlap",
    (Fact.OVERLAP, "overlap"): "the address ranges overlap",
    (Fact.WHERE, "aws"): "the clients are in VPCs",
    (Fact.WHERE, "outside"): "clients are outside AWS",
    (Fact.ANSWERS, "names"): "MOVED carries names (TLS on, endpoint type not `ip`)",
    (Fact.ANSWERS, "addresses"): "MOVED carries addresses (no TLS, or endpoint type `ip`)",
    (Fact.NODE_SET, "you"): "you script a resource per node, or the nodes never change",
    (Fact.NODE_SET, "nobody"): "nodes come and go, and nobody scripts that",
}
"""Each fact's values, as a condition in a sentence."""
ASK: Mapping[Fact, str] = {
    Fact.SERVICE: "say serverless: true or false in --from",
    Fact.CLUSTER_MODE: "see ClusterEnabled in aws elasticache describe-replication-groups",
    Fact.CLIENT: "give --client cluster, plain or rueidis",
    Fact.ROUTES: "give --routes or --no-routes",
    Fact.OVERLAP: "give every --client-cidr and --cache-cidr",
    Fact.WHERE: "give --on-premises or --no-on-premises",
    Fact.ANSWERS: "see TransitEncryptionEnabled, and cluster-preferred-endpoint-type of the parameter group",
    Fact.NODE_SET: "give --scripted or --not-scripted",
}
"""How a person settles a fact that is unknown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When all of `when` is so, this is the way."""

    name: str
    way: AccessOption
    why: str
    when: Mapping[Fact, str] = field(default_factory=dict)
    mind: str = ""
    """What to know of it, or what else would do."""


RULES: tuple[Rule, ...] = (
    Rule(
        "plain_client",
        AccessOption.ENVOY,
        "only a proxy that follows MOVED itself serves a client that cannot: routes do not help it",
        {Fact.SERVICE: "group", Fact.CLUSTER_MODE: "on", Fact.CLIENT: "plain"},
        "no pub/sub, blocking commands, streams or SCAN; Envoy ends TLS and logs in for the client."
        " A client with cluster mode switched on needs none of this",
    ),
    Rule(
        "peering",
        AccessOption.PEERING,
        "nothing runs in between: every node is reached by its own name, and no hour is billed",
        {Fact.ROUTES: "allowed", Fact.OVERLAP: "apart", Fact.WHERE: "aws"},
        "many VPCs: a Transit Gateway; both VPCs need enableDnsSupport and enableDnsHostnames",
    ),
    Rule(
        "routes",
        AccessOption.ROUTES,
        "the clients outside reach every node directly; ElastiCache's names resolve publicly",
        {Fact.ROUTES: "allowed", Fact.OVERLAP: "apart", Fact.WHERE: "outside"},
        "an outside resolver that drops private answers (rebinding protection) needs an exception",
    ),
    Rule(
        "serverless",
        AccessOption.ONE_PROXY,
        "Serverless has one name with the ports 6379 and 6380: there are no nodes to follow",
        {Fact.SERVICE: "serverless"},
        "both ports, and a private zone for the one name; a Lattice resource for it does the same",
    ),
    Rule(
        "one_endpoint",
        AccessOption.ONE_PROXY,
        "without cluster mode no client is redirected, so one proxy for the primary is enough",
        {Fact.SERVICE: "group", Fact.CLUSTER_MODE: "off"},
        "a second one for the reader endpoint; HAProxy re-resolves the name after a failover, an NLB"
        " needs its target address followed",
    ),
    Rule(
        "addresses",
        AccessOption.ENVOY,
        "MOVED sends clients to addresses, which no DNS can turn; Envoy follows them itself",
        {Fact.SERVICE: "group", Fact.CLUSTER_MODE: "on", Fact.ANSWERS: "addresses"},
        "better: switch TLS on (Redis OSS 7 and Valkey 7.2 can, live) and leave"
        " cluster-preferred-endpoint-type at tls-dynamic; then the rules below serve every client",
    ),
    Rule(
        "lattice",
        AccessOption.LATTICE,
        "AWS runs the path and the private zone, also over overlapping ranges: no proxies of yours",
        {
            Fact.SERVICE: "group",
            Fact.CLUSTER_MODE: "on",
            Fact.ANSWERS: "names",
            Fact.WHERE: "aws",
            Fact.NODE_SET: "you",
        },
        "one resource configuration per node, made and removed by you with each scale event;"
        " 60 in a GROUP unless raised; idle connections end after 350 s; not in every AZ",
    ),
    Rule(
        "nodeway",
        AccessOption.NODEWAY,
        "a HAProxy per node behind the node's own name: clients, TLS and logins stay as they are,"
        " and records follow the nodes by themselves",
        {Fact.SERVICE: "group", Fact.CLUSTER_MODE: "on", Fact.ANSWERS: "names"},
        "the HAProxies' own VPC must overlap with neither side; a task per node is paid for (for some clients two"
        " shared ones do: docs/shared.md)",
    ),
)
