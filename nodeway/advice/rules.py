"""The options for access from a client to a cluster's nodes, and the rules that select one. Pure data.

RULES is ordered: the first rule that matches is the advice. The decision table of docs/choosing.md is generated from
it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class AccessOption(StrEnum):
    """A means of access from clients to the nodes."""

    PEERING = "VPC peering"
    ROUTES = "routes by Transit Gateway, VPN or Direct Connect"
    LATTICE = "VPC Lattice resource configurations"
    NODEWAY = "Nodeway"
    ENVOY = "Envoy's Redis proxy"
    ONE_PROXY = "one NLB or HAProxy per endpoint"


class Fact(StrEnum):
    """A fact that rules depend on. Each has two values."""

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
    (Fact.NODE_SET, "nobody"): "nodes are added and removed, and you script nothing",
}
"""Each value of each fact, as a condition in a sentence."""
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
"""How the user provides a fact that is unknown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The access option for clusters of which all facts in `when` have these values."""

    name: str
    option: AccessOption
    why: str
    when: Mapping[Fact, str] = field(default_factory=dict)
    caveat: str = ""
    """Limitations of the option, and alternatives to it."""


RULES: tuple[Rule, ...] = (
    Rule(
        "plain_client",
        AccessOption.ENVOY,
        "a client that does not follow MOVED needs a proxy that does; routes alone do not help",
        {Fact.SERVICE: "group", Fact.CLUSTER_MODE: "on", Fact.CLIENT: "plain"},
        "no pub/sub, blocking commands, streams or SCAN; Envoy terminates TLS and logs in for the client."
        " A client with cluster mode enabled does not need Envoy",
    ),
    Rule(
        "peering",
        AccessOption.PEERING,
        "clients reach every node by its own name, without a proxy and without an hourly price",
        {Fact.ROUTES: "allowed", Fact.OVERLAP: "apart", Fact.WHERE: "aws"},
        "many VPCs: a Transit Gateway; both VPCs need enableDnsSupport and enableDnsHostnames",
    ),
    Rule(
        "routes",
        AccessOption.ROUTES,
        "the clients outside AWS reach every node directly; ElastiCache's names resolve publicly",
        {Fact.ROUTES: "allowed", Fact.OVERLAP: "apart", Fact.WHERE: "outside"},
        "a resolver outside AWS that drops private addresses (rebinding protection) needs an exception",
    ),
    Rule(
        "serverless",
        AccessOption.ONE_PROXY,
        "Serverless has one endpoint with the ports 6379 and 6380, and no nodes",
        {Fact.SERVICE: "serverless"},
        "proxy both ports, with a private zone for the endpoint; a Lattice resource configuration does the same",
    ),
    Rule(
        "one_endpoint",
        AccessOption.ONE_PROXY,
        "without cluster mode no client is redirected, so one proxy for the primary endpoint is enough",
        {Fact.SERVICE: "group", Fact.CLUSTER_MODE: "off"},
        "the reader endpoint needs a second proxy; HAProxy resolves the name again after a failover, an NLB"
        " needs its target address updated",
    ),
    Rule(
        "addresses",
        AccessOption.ENVOY,
        "MOVED redirects clients to addresses, which DNS cannot override; Envoy follows MOVED itself",
        {Fact.SERVICE: "group", Fact.CLUSTER_MODE: "on", Fact.ANSWERS: "addresses"},
        "better: enable TLS (Redis OSS 7 and Valkey 7.2 allow it on a live group) and leave"
        " cluster-preferred-endpoint-type at tls-dynamic; then the rules below apply",
    ),
    Rule(
        "lattice",
        AccessOption.LATTICE,
        "AWS operates the data path and the private zone, also between overlapping ranges; you run no proxies",
        {
            Fact.SERVICE: "group",
            Fact.CLUSTER_MODE: "on",
            Fact.ANSWERS: "names",
            Fact.WHERE: "aws",
            Fact.NODE_SET: "you",
        },
        "one resource configuration per node, which you create and delete with each scale event;"
        " 60 in a GROUP unless the quota is raised; idle connections end after 350 s; not in every AZ",
    ),
    Rule(
        "nodeway",
        AccessOption.NODEWAY,
        "one HAProxy per node behind the node's own name: clients, TLS and logins do not change,"
        " and the records follow the nodes automatically",
        {Fact.SERVICE: "group", Fact.CLUSTER_MODE: "on", Fact.ANSWERS: "names"},
        "the range of the HAProxies' VPC must overlap with neither side; every node costs a task (for some clients two"
        " shared HAProxies are enough: docs/shared.md)",
    ),
)
