"""The rules about several keys of an environment. Each rule yields a line for each problem. Pure.

RULES lists the keys that each rule reads: a rule runs if these keys are valid by themselves, whatever the others are.
"""

from collections.abc import Callable, Iterator, Sequence

from nodeway.config import rules_modes as modes
from nodeway.config import rules_network as network
from nodeway.config import rules_shared as shared
from nodeway.config.model import FARGATE_MEMORY_MIB, EnvironmentConfig
from nodeway.config.rules_network import find_duplicates


def find_problems(environment: EnvironmentConfig, valid: frozenset[str]) -> list[str]:
    """Returns every problem between keys of the environment, of which `valid` are valid by themselves."""
    return [line for keys, rule in RULES if valid >= set(keys) for line in rule(environment)]


def size_fits_fargate(environment: EnvironmentConfig) -> Iterator[str]:
    """Fargate accepts only some pairs of `cpu` and `memory`."""
    sizes = FARGATE_MEMORY_MIB[environment.cpu]
    if environment.memory not in sizes:
        allowed = (
            ", ".join(map(str, sizes))
            if len(sizes) <= 3  # noqa: PLR2004 (a longer list is shown as a range)
            else f"{sizes[0]} to {sizes[-1]} in steps of {sizes[1] - sizes[0]}"
        )
        yield f"memory: got {environment.memory} MiB with cpu {environment.cpu}; allowed: {allowed}"


def clusters_are_unique(environment: EnvironmentConfig) -> Iterator[str]:
    """A cluster is listed once for each mode; its `nodes` are listed once each and are of one zone."""
    for name in find_duplicates(cluster.label for cluster in environment.clusters):
        yield f"clusters: {name} is listed twice"
    for cluster in environment.clusters:
        where = f"nodes of {cluster.replication_group_id}"
        for name in find_duplicates(cluster.nodes):
            yield f"{where}: {name} is listed twice"
        zones = sorted({name.partition(".")[2] for name in cluster.nodes})
        if len(zones) > 1:
            yield f"{where} are of different zones: {', '.join(zones)}"


def alarms_have_one_topic(environment: EnvironmentConfig) -> Iterator[str]:
    """An address subscribes to a new topic only: an existing topic has subscribers of its own."""
    if environment.alarm_topic_arn and environment.alarm_email:
        yield (
            "alarm_email: subscribes to the topic that the deployment creates, but alarm_topic_arn names an existing"
            " one; allowed: one of the two"
        )


RULES: Sequence[tuple[tuple[str, ...], Callable[[EnvironmentConfig], Iterator[str]]]] = (
    (("cpu", "memory"), size_fits_fargate),
    (("clusters",), clusters_are_unique),
    (("alarm_topic_arn", "alarm_email"), alarms_have_one_topic),
    (("clusters",), modes.keys_fit_the_mode),
    (("clusters",), modes.one_zone_has_one_owner),
    (("clusters",), modes.envoy_can_log_in),
    (("clusters", "memory"), modes.envoy_has_memory),
    (("clusters", "region"), modes.secrets_are_in_the_region),
    (("clusters", "client_vpcs", "account", "region"), modes.probe_can_be_deployed),
    (("clusters", "proxy_vpc", "cache_vpc"), shared.shared_connects_to_the_cache_only),
    (("clusters",), shared.shared_serves_the_clients),
    (("proxy_vpc", "client_vpcs", "clusters"), network.proxies_do_not_loop),
    (("proxy_vpc", "clusters"), network.proxies_have_a_vpc),
    (("proxy_vpc",), network.proxy_vpc_is_existing_or_new),
    (("proxy_vpc", "region"), network.zones_are_in_the_region),
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
"""The keys that each rule reads, and the rule."""
