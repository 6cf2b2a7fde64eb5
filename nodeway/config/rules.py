"""What the keys of an environment may hold together: each rule gives a line for each problem. Pure.

A rule names the keys it reads, so that it can speak although another key is wrong by itself.
"""

from collections.abc import Callable, Iterator, Sequence

from nodeway.config import rules_modes as ways
from nodeway.config import rules_network as network
from nodeway.config import rules_shared as sharing
from nodeway.config.model import FARGATE_MEMORY_MIB, EnvironmentConfig
from nodeway.config.rules_network import duplicates


def find_problems(environment: EnvironmentConfig, valid: frozenset[str]) -> list[str]:
    """Every problem between the keys that are valid by themselves."""
    return [line for keys, rule in RULES if valid >= set(keys) for line in rule(environment)]


def size_is_fargates(environment: EnvironmentConfig) -> Iterator[str]:
    """Fargate takes some pairs only."""
    sizes = FARGATE_MEMORY_MIB[environment.cpu]
    if environment.memory not in sizes:
        allowed = (
            ", ".join(map(str, sizes))
            if len(sizes) <= 3  # noqa: PLR2004 (what is read at a glance)
            else f"{sizes[0]} to {sizes[-1]} in steps of {sizes[1] - sizes[0]}"
        )
        yield f"memory: got {environment.memory} MiB with cpu {environment.cpu}; allowed: {allowed}"


def clusters_are_unique(environment: EnvironmentConfig) -> Iterator[str]:
    """A cluster stands there once for each way, and each of its nodes once; nodes given by hand are of one zone."""
    for name in duplicates(cluster.label for cluster in environment.clusters):
        yield f"clusters: {name} stands there twice"
    for cluster in environment.clusters:
        where = f"nodes of {cluster.replication_group_id}"
        for name in duplicates(cluster.nodes):
            yield f"{where}: {name} stands there twice"
        zones = sorted({name.partition(".")[2] for name in cluster.nodes})
        if len(zones) > 1:
            yield f"{where} are of different zones: {', '.join(zones)}"


def alarms_have_one_topic(environment: EnvironmentConfig) -> Iterator[str]:
    """A topic that is there has its own subscribers."""
    if environment.alarm_topic_arn and environment.alarm_email:
        yield (
            "alarm_email: it subscribes to the topic that the deploy makes, and alarm_topic_arn names another;"
            " allowed: one of the two"
        )


RULES: Sequence[tuple[tuple[str, ...], Callable[[EnvironmentConfig], Iterator[str]]]] = (
    (("cpu", "memory"), size_is_fargates),
    (("clusters",), clusters_are_unique),
    (("alarm_topic_arn", "alarm_email"), alarms_have_one_topic),
    (("clusters",), ways.keys_fit_the_mode),
    (("clusters",), ways.one_zone_has_one_owner),
    (("clusters",), ways.envoy_can_log_in),
    (("clusters", "memory"), ways.envoy_has_room),
    (("clusters", "region"), ways.secrets_are_the_regions),
    (("clusters", "client_vpcs", "account", "region"), ways.probe_is_where_it_can_be),
    (("clusters", "proxy_vpc", "cache_vpc"), sharing.shared_leads_to_the_cache_only),
    (("clusters",), sharing.shared_clients_can_be_served),
    (("proxy_vpc", "client_vpcs", "clusters"), network.proxies_do_not_loop),
    (("proxy_vpc", "clusters"), network.proxy_vpc_is_there_when_needed),
    (("proxy_vpc",), network.proxy_vpc_is_given_or_made),
    (("proxy_vpc", "region"), network.zones_are_the_regions),
    (("proxy_vpc", "image", "clusters", "region"), network.image_can_be_pulled),
    (("client_vpcs", "region"), network.clients_are_unique),
    (
        ("on_premises", "client_vpcs", "clusters", "account", "region"),
        network.outside_clients_have_a_resolver,
    ),
    (("access", "cache_vpc", "clusters"), network.unused_keys_are_absent),
    (("access", "cache_vpc", "proxy_vpc", "clusters"), network.peering_reaches_the_cache),
    (("access", "client_vpcs", "account", "region"), network.peering_reaches_the_clients),
    (("access", "cache_vpc", "proxy_vpc", "client_vpcs"), network.ranges_do_not_overlap),
)
"""The keys that a rule reads, and the rule."""
