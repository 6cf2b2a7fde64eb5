"""The rules about the mode of a cluster's proxies (`proxy`) and its other keys. Pure."""

from collections.abc import Iterator, Mapping

from nodeway.config.model import EnvironmentConfig
from nodeway.config.rules_network import is_same_account_and_region
from nodeway.envoy.render import MEMORY_RESERVED_MIB

READ_BY: Mapping[str, frozenset[str]] = {
    "envoy": frozenset({"envoy"}),
    "tasks": frozenset({"envoy", "shared"}),
    "clients": frozenset({"shared"}),
    "cache_cidrs": frozenset({"shared"}),
    "probe": frozenset({"haproxy", "shared"}),
}
"""Keys of a cluster that some modes do not read, and the modes that do."""
ENVOY_MEMORY_MIB = MEMORY_RESERVED_MIB + 64


def keys_fit_the_mode(environment: EnvironmentConfig) -> Iterator[str]:
    """A key that the cluster's mode does not read is an error."""
    for cluster in environment.clusters:
        for key, modes in READ_BY.items():
            if key in cluster.model_fields_set and cluster.proxy not in modes:
                yield (
                    f"clusters {cluster.replication_group_id}.{key}: is read with proxy:"
                    f" {' or '.join(sorted(modes))} only; leave it out"
                )


def one_zone_has_one_owner(environment: EnvironmentConfig) -> Iterator[str]:
    """The own names of a cluster have records of one mode: `haproxy` or `shared`. Envoy has a zone of its own."""
    modes: dict[str, set[str]] = {}
    for cluster in environment.overridden_clusters:
        modes.setdefault(cluster.replication_group_id, set()).add(cluster.proxy)
    for name in sorted(name for name, proxies in modes.items() if len(proxies) > 1):
        yield f"clusters: {name} has proxy: haproxy and shared; allowed: one of them, as both own the same records"


def envoy_can_log_in(environment: EnvironmentConfig) -> Iterator[str]:
    """Envoy needs the block `envoy`, with at most one login to the nodes."""
    for cluster in environment.clusters:
        where = f"clusters {cluster.replication_group_id}.envoy"
        if cluster.proxy == "envoy" and cluster.envoy is None:
            yield (
                f"{where}: is missing; proxy: envoy needs downstream_secret_arns, the secrets that its clients log in"
                " with (docs/envoy.md)"
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


def envoy_has_memory(environment: EnvironmentConfig) -> Iterator[str]:
    """Envoy needs more memory than HAProxy, even without clients."""
    has_envoy = any(cluster.proxy == "envoy" for cluster in environment.clusters)
    if has_envoy and environment.memory < ENVOY_MEMORY_MIB:
        yield f"memory: got {environment.memory} MiB; allowed with proxy: envoy: {ENVOY_MEMORY_MIB} and more"


def secrets_are_in_the_region(environment: EnvironmentConfig) -> Iterator[str]:
    """ECS and the probe read secrets of their own Region."""
    for cluster in environment.clusters:
        secrets: list[tuple[str, str, str | None]] = []
        if envoy := cluster.envoy:
            arns = (*envoy.downstream_secret_arns, envoy.tls_secret_arn, envoy.upstream_secret_arn)
            secrets += [("envoy", "ECS", arn) for arn in arns]
        if cluster.probe:
            secrets.append(("probe", "the probe", cluster.probe.secret_arn))
        for key, reader, arn in secrets:
            if arn and arn.split(":")[3] != environment.region:
                yield (
                    f"clusters {cluster.replication_group_id}.{key}: {arn} is not in Region {environment.region},"
                    f" where {reader} reads it; replicate the secret, and give the replica's ARN"
                )


def probe_can_be_deployed(environment: EnvironmentConfig) -> Iterator[str]:
    """The deployment creates probes in its own account and Region, and a probe has one login."""
    for vpc in environment.client_vpcs:
        if vpc.probe_subnet_ids and not is_same_account_and_region(environment, vpc):
            yield (
                f"client_vpcs {vpc.vpc_id}.probe_subnet_ids: are of another account or Region than the deployment;"
                " leave them out, and run `nodeway doctor` on a host there"
            )
    has_probes = any(vpc.probe_subnet_ids for vpc in environment.client_vpcs)
    for cluster in environment.clusters:
        where = f"clusters {cluster.replication_group_id}.probe"
        if cluster.probe and cluster.probe.secret_arn and cluster.probe.iam_username:
            yield f"{where}: has secret_arn and iam_username; allowed: one of them"
        if cluster.probe and not has_probes:
            yield f"{where}: is not read, as no VPC in client_vpcs has probe_subnet_ids"
