"""What the keys of a cluster may hold together, given the way to it. Pure."""

from collections.abc import Iterator, Mapping

from nodeway.config.model import EnvironmentConfig
from nodeway.envoy.render import MEMORY_RESERVED_MIB

READ_BY: Mapping[str, frozenset[str]] = {
    "envoy": frozenset({"envoy"}),
    "tasks": frozenset({"envoy", "shared"}),
    "clients": frozenset({"shared"}),
    "cache_cidrs": frozenset({"shared"}),
    "probe": frozenset({"haproxy", "shared"}),
}
"""Keys of a cluster that not every way reads, and the ways that do."""
ENVOY_MEMORY_MIB = MEMORY_RESERVED_MIB + 64


def keys_fit_the_mode(environment: EnvironmentConfig) -> Iterator[str]:
    """What nobody reads would be silently passed over."""
    for cluster in environment.clusters:
        for key, ways in READ_BY.items():
            if key in cluster.model_fields_set and cluster.proxy not in ways:
                yield (
                    f"clusters {cluster.replication_group_id}.{key}: is read with proxy:"
                    f" {' or '.join(sorted(ways))} only; leave it out"
                )


def one_zone_has_one_owner(environment: EnvironmentConfig) -> Iterator[str]:
    """A cluster's names lead to HAProxies of its nodes or to shared ones; Envoy has a name of its own beside either."""
    ways: dict[str, set[str]] = {}
    for cluster in environment.overridden_clusters:
        ways.setdefault(cluster.replication_group_id, set()).add(cluster.proxy)
    for name in sorted(name for name, found in ways.items() if len(found) > 1):
        yield f"clusters: {name} has proxy: haproxy and shared; its names can lead to one of them only"


def envoy_can_log_in(environment: EnvironmentConfig) -> Iterator[str]:
    """Envoy needs its block, and one login of its own at most."""
    for cluster in environment.clusters:
        where = f"clusters {cluster.replication_group_id}.envoy"
        if cluster.proxy == "envoy" and cluster.envoy is None:
            yield (
                f"{where}: is missing; proxy: envoy needs the secrets that its clients log in with,"
                " downstream_secret_arns (docs/envoy.md)"
            )
        if cluster.envoy is None:
            continue
        if cluster.envoy.upstream_iam and cluster.envoy.upstream_secret_arn:
            yield f"{where}: has upstream_iam and upstream_secret_arn; allowed: one of them"
        if cluster.envoy.upstream_iam and cluster.envoy.upstream_username is None:
            yield f"{where}.upstream_username: is missing; upstream_iam logs in as this ElastiCache user"
        if cluster.envoy.upstream_iam and cluster.envoy.read_policy != "primary":
            yield (
                f"{where}.read_policy: got {cluster.envoy.read_policy!r}; allowed with upstream_iam: primary, as"
                " Envoy then does not know the topology"
            )


def envoy_has_room(environment: EnvironmentConfig) -> Iterator[str]:
    """Envoy takes more memory than HAProxy before its first client comes."""
    has_envoy = any(cluster.proxy == "envoy" for cluster in environment.clusters)
    if has_envoy and environment.memory < ENVOY_MEMORY_MIB:
        yield f"memory: got {environment.memory} MiB; allowed with proxy: envoy: {ENVOY_MEMORY_MIB} and more"


def secrets_are_the_regions(environment: EnvironmentConfig) -> Iterator[str]:
    """ECS reads a task's secrets in the task's own Region, and the probe in its own."""
    for cluster in environment.clusters:
        given: list[tuple[str, str, str | None]] = []
        if cluster.envoy:
            how = cluster.envoy
            arns = (*how.downstream_secret_arns, how.tls_secret_arn, how.upstream_secret_arn)
            given += [("envoy", "ECS", arn) for arn in arns]
        if cluster.probe:
            given.append(("probe", "the probe", cluster.probe.secret_arn))
        for key, who, arn in given:
            if arn and arn.split(":")[3] != environment.region:
                yield (
                    f"clusters {cluster.replication_group_id}.{key}: {arn} is not in Region {environment.region},"
                    f" where {who} reads it; replicate the secret, and give the replica's ARN"
                )


def probe_is_where_it_can_be(environment: EnvironmentConfig) -> Iterator[str]:
    """The deploy makes functions in its own account and Region, and a probe logs in in one way."""
    for vpc in environment.client_vpcs:
        elsewhere = vpc.account not in {None, environment.account} or vpc.region not in {
            None,
            environment.region,
        }
        if vpc.probe_subnet_ids and elsewhere:
            yield (
                f"client_vpcs {vpc.vpc_id}.probe_subnet_ids: is of another account or Region than the deploy;"
                " leave it out, and run `nodeway doctor` on a host there"
            )
    somewhere = any(vpc.probe_subnet_ids for vpc in environment.client_vpcs)
    for cluster in environment.clusters:
        where = f"clusters {cluster.replication_group_id}.probe"
        if cluster.probe and cluster.probe.secret_arn and cluster.probe.iam_username:
            yield f"{where}: has secret_arn and iam_username; allowed: one of them"
        if cluster.probe and not somewhere:
            yield f"{where}: nobody reads it, as no VPC in client_vpcs has probe_subnet_ids"
