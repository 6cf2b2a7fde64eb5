"""Converts the blocks of the configuration to the parameters of the library."""

from nodeway.config.model import ClusterConfig, EnvironmentConfig, Envoy
from nodeway.constructs.probe.login import ProbeLogin
from nodeway.constructs.proxies.envoy import EnvoyLogins
from nodeway.constructs.proxies.modes import EnvoyMode, PerNode, ProxyMode, Shared
from nodeway.constructs.proxies.settings import ClientNetwork, ProxySettings
from nodeway.constructs.records.settings import RecordSettings
from nodeway.errors import ConfigError


def clients_of(environment: EnvironmentConfig) -> list[ClientNetwork]:
    """Returns the client VPCs, and the ranges outside AWS."""
    vpcs = [
        ClientNetwork(
            vpc.vpc_id,
            str(vpc.cidr),
            account=vpc.account,
            region=vpc.region,
            security_group_ids=vpc.security_group_ids,
            probe_subnet_ids=vpc.probe_subnet_ids,
        )
        for vpc in environment.client_vpcs
    ]
    outside = environment.on_premises.cidrs if environment.on_premises else ()
    return vpcs + [ClientNetwork(None, str(cidr)) for cidr in outside]


def mode_of(environment: EnvironmentConfig, cluster: ClusterConfig) -> ProxyMode:
    """Returns the mode of the key `proxy`; raises ConfigError for `envoy` without its block."""
    match cluster.proxy:
        case "shared":
            return Shared(tuple(map(str, environment.cache_networks(cluster))), cluster.tasks)
        case "envoy":
            if cluster.envoy is None:
                msg = (
                    f"clusters: {cluster.replication_group_id} has proxy: envoy and no envoy block"
                )
                raise ConfigError(msg)
            return EnvoyMode(envoy_logins(cluster.envoy), cluster.tasks)
        case _:
            return PerNode(environment.haproxies_per_node)


def envoy_logins(block: Envoy) -> EnvoyLogins:
    """Returns the logins of a block `envoy`."""
    return EnvoyLogins(
        downstream_secret_arns=block.downstream_secret_arns,
        downstream_username=block.downstream_username or "",
        tls_secret_arn=block.tls_secret_arn,
        upstream_secret_arn=block.upstream_secret_arn,
        upstream_username=block.upstream_username or "",
        upstream_iam=block.upstream_iam,
        read_policy=block.read_policy,
        image=block.image,
    )


def proxy_settings_of(environment: EnvironmentConfig, cluster: ClusterConfig) -> ProxySettings:
    """Returns the settings of a cluster's proxies."""
    return ProxySettings(
        cpu=environment.cpu,
        memory_mib=environment.memory,
        image=environment.image,
        cache_security_group_id=cluster.cache_security_group_id,
        node_metrics=environment.node_metrics,
    )


def record_settings_of(environment: EnvironmentConfig) -> RecordSettings:
    """Returns the settings of the resync."""
    return RecordSettings(
        resync=environment.resync,
        pins={name: tuple(values) for name, values in environment.pins.items()},
        approve=environment.approve,
        take_over=environment.take_over,
        max_stand_ins=environment.max_stand_ins,
    )


def login_of(cluster: ClusterConfig) -> ProbeLogin | None:
    """Returns the credentials of a cluster's block `probe`; None without one."""
    block = cluster.probe
    return ProbeLogin(block.secret_arn, block.iam_username) if block else None
