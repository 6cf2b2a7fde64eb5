"""`Nodeway`: the proxies, records, probe and alarms of one cluster, as one construct for any CDK app."""

from collections.abc import Sequence

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_sns as sns
from constructs import Construct

from nodeway.constructs.monitoring.alarms import Alarms
from nodeway.constructs.monitoring.monitored import Monitored
from nodeway.constructs.monitoring.stopped_tasks import StoppedTasks
from nodeway.constructs.network.network import ProxyNetwork
from nodeway.constructs.parts import PART_ID, InOneStack, Parts, deploy_after
from nodeway.constructs.probe.login import ProbeLogin
from nodeway.constructs.probe.probe import Probe, find_probed_networks
from nodeway.constructs.proxies.modes import PerNode, ProxyMode
from nodeway.constructs.proxies.settings import ClientNetwork, ProxiedCluster, ProxySettings
from nodeway.constructs.records.resync import Resync
from nodeway.constructs.records.settings import RecordSettings
from nodeway.constructs.records.zone import ClientsZone
from nodeway.errors import ConfigError
from nodeway.lookup.topology import KnownTopology


@jsii.implements(ec2.IConnectable)
class Nodeway(Construct):
    """Proxies for one ElastiCache cluster, a private zone with its names, and the resync of the zone's records.

    Clients in `client_vpcs` then connect to the cluster's own names, with the cluster's own port, certificates and
    users.

    Arguments:
        replication_group_id: the group's id, as plain text: it becomes part of names.
        topology: the group's nodes (`KnownTopology`; `topology_of_group` returns it for a group of the same app).
        network: the VPC and the subnets of the proxies. It must not be a client VPC, unless the mode is Envoy's.
        client_vpcs: the networks that may connect. The zone is associated with their VPCs.
        mode: how clients reach the nodes; None: one HAProxy per node.
        haproxies_per_node: HAProxies, and A records, of each node (1 to 8); only without a `mode`.
        ttl: the TTL of the records in seconds (1 to 3600).
        environment_name: a prefix of names that are unique in the account; None: the stack's name.
        proxy_settings: the size and image of the proxies.
        record_settings: how the resync writes the records.
        probe_login: the probe's credentials for the nodes.
        anchor: a VPC of this account, if every client VPC is another account's: a zone is created with one of its own.
        parts: the scope of each part; None: all in this construct. One stack has room for about 150 nodes.

    Raises ConfigError for arguments that cannot be deployed, or would not work.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        replication_group_id: str,
        topology: KnownTopology,
        network: ProxyNetwork,
        client_vpcs: Sequence[ClientNetwork],
        mode: ProxyMode | None = None,
        haproxies_per_node: int = 1,
        ttl: int = 5,
        environment_name: str | None = None,
        proxy_settings: ProxySettings | None = None,
        record_settings: RecordSettings | None = None,
        probe_login: ProbeLogin | None = None,
        anchor: ec2.IVpc | None = None,
        parts: Parts | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if mode is not None and haproxies_per_node != 1:
            msg = f"haproxies_per_node: got {haproxies_per_node} beside a mode; give it to PerNode"
            raise ConfigError(msg)
        mode = mode or PerNode(haproxies_per_node)
        label = f"{replication_group_id}{mode.suffix}"
        cluster = ProxiedCluster(
            replication_group_id,
            label,
            topology,
            network,
            tuple(client_vpcs),
            proxy_settings or ProxySettings(),
        )
        refuse_impossible(cluster, mode, ttl)
        self.parts = parts or InOneStack(self, label)
        self.environment_name = environment_name or cdk.Stack.of(self).stack_name
        login = probe_login or ProbeLogin()
        self.proxies = mode.build(self.parts, cluster)
        self.clients_zone = ClientsZone(
            self.parts.scope("dns"),
            PART_ID,
            topology=topology,
            clients=cluster.clients,
            endpoint=mode.endpoint,
            page=mode.page,
            anchor=anchor,
        )
        # the zone overrides the cluster's own names as soon as it exists, so the proxies must run before
        deploy_after(self.clients_zone, *self.proxies.parts)
        resync_scope = self.parts.scope("resync")
        self.resync = Resync(
            resync_scope,
            PART_ID,
            environment_name=self.environment_name,
            prefix=self.parts.prefix(resync_scope),
            cluster=cluster,
            mode=mode,
            proxies=self.proxies,
            zone=self.clients_zone,
            ttl=ttl,
            settings=record_settings or RecordSettings(),
        )
        self.probe: Probe | None = None
        if mode.overrides_cluster_names and find_probed_networks(cluster.clients):
            self.probe = Probe(
                self.parts.scope("probe"),
                PART_ID,
                cluster=cluster,
                fleet=self.proxies.fleet,
                zone=self.clients_zone,
                resync=self.resync,
                login=login,
            )
            # without records every path is broken
            deploy_after(self.probe, self.resync)
        self.monitored = Monitored(
            label=label,
            zone_name=topology.zone_name,
            mode=mode,
            ecs_cluster_arn=self.proxies.fleet.cluster.cluster_arn,
            schedule=self.resync.schedule,
            failed_events=self.resync.failures,
            coordinator=self.probe.coordinator if self.probe else None,
            probe_logs_in=login.exists,
        )

    @property
    def connections(self) -> ec2.Connections:
        """The connections of the proxies' security group."""
        return self.proxies.fleet.security_group.connections

    @property
    def zone(self) -> route53.IPrivateHostedZone:
        """The clients' zone, of which the resync owns the records."""
        return self.clients_zone.zone

    @property
    def resync_function(self) -> lambda_.Function:
        """The resync function, which writes the records."""
        return self.resync.function

    def add_alarms(self, topic: sns.ITopic) -> list[cloudwatch.IAlarm]:
        """Adds every alarm of the cluster with the topic as its action, and returns them (docs/runbook.md)."""
        stopped = StoppedTasks(self, "Stopped").of(
            self.monitored.label, self.monitored.ecs_cluster_arn
        )
        return Alarms(
            self,
            "Alarms",
            monitored=self.monitored,
            stopped=stopped,
            prefix=f"{self.environment_name}-{self.monitored.label}",
            topic=topic,
        ).alarms


def refuse_impossible(cluster: ProxiedCluster, mode: ProxyMode, ttl: int) -> None:
    """Raises ConfigError for arguments that would deploy, but not work."""
    if cdk.Token.is_unresolved(cluster.replication_group_id):
        msg = "replication_group_id: is a token; give the group an explicit id, and use that text"
        raise ConfigError(msg)
    if not 1 <= ttl <= 3600:  # noqa: PLR2004 (an hour)
        msg = f"ttl: got {ttl}; allowed: 1 to 3600 s"
        raise ConfigError(msg)
    if not any(client.vpc_id for client in cluster.clients):
        msg = "client_vpcs: has no VPC; the zone needs one to be associated with"
        raise ConfigError(msg)
    proxy_vpc_id = cluster.network.vpc_id
    if mode.overrides_cluster_names and proxy_vpc_id in {c.vpc_id for c in cluster.clients}:
        msg = (
            f"client_vpcs: {proxy_vpc_id} is the HAProxies' own VPC: its resolver would answer the HAProxies with"
            " their own addresses (a loop); run the HAProxies in another VPC"
        )
        raise ConfigError(msg)
