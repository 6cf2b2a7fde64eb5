"""`Nodeway`: everything that one cluster needs, as one construct for other people's CDK apps and for our own."""

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
from nodeway.constructs.probe.probe import Probe, probed_networks
from nodeway.constructs.proxies.modes import PerNode, ProxyMode
from nodeway.constructs.proxies.settings import ClientNetwork, ProxiedCluster, ProxySettings
from nodeway.constructs.records.resync import Resync
from nodeway.constructs.records.settings import RecordSettings
from nodeway.constructs.records.zone import ClientsZone
from nodeway.errors import ConfigError
from nodeway.lookup.topology import KnownTopology


@jsii.implements(ec2.IConnectable)
class Nodeway(Construct):
    """Proxies for one ElastiCache cluster, the private zone that leads its names to them, and the resync of the zone.

    Clients in `client_vpcs` then connect to the cluster's own names, with the cluster's own port, certificates and
    users.

    Arguments:
        replication_group_id: the group's id, as plain text: it becomes part of names.
        topology: the group's nodes (`KnownTopology`; `topology_of_group` gives it for a group of the same app).
        network: where the proxies run. No client VPC may be that VPC, unless the mode is Envoy's.
        client_vpcs: who may connect, and whose resolvers get the zone.
        mode: how clients reach the nodes; None: one HAProxy per node.
        haproxies_per_node: HAProxies, and A records, of each node (1 to 8); only without a `mode`.
        ttl: seconds for which a record's answer holds (1 to 3600).
        environment_name: begins the names of what must be unique in the account; None: the stack's name.
        proxy_settings, record_settings, probe_login: see there.
        anchor: a VPC of this account for the zone to be made with, where every client VPC is another account's.
        parts: where the parts are put; None: all in this construct. One stack has room for about 150 nodes.

    Raises ConfigError for what cannot be deployed.
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
        # the zone hides the cluster's own names as soon as it exists, so the proxies have to run before
        deploy_after(self.clients_zone, *self.proxies.parts)
        scope_of_resync = self.parts.scope("resync")
        self.resync = Resync(
            scope_of_resync,
            PART_ID,
            environment_name=self.environment_name,
            prefix=self.parts.prefix(scope_of_resync),
            cluster=cluster,
            mode=mode,
            proxies=self.proxies,
            zone=self.clients_zone,
            ttl=ttl,
            settings=record_settings or RecordSettings(),
        )
        self.probe: Probe | None = None
        if mode.overrides_cluster_names and probed_networks(cluster.clients):
            self.probe = Probe(
                self.parts.scope("probe"),
                PART_ID,
                cluster=cluster,
                fleet=self.proxies.fleet,
                zone=self.clients_zone,
                resync=self.resync,
                login=login,
            )
            # before the records are there, every path is broken
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
        """The proxies' security group, for rules of other constructs."""
        return self.proxies.fleet.security_group.connections

    @property
    def zone(self) -> route53.IPrivateHostedZone:
        """The clients' zone. The resync owns its records."""
        return self.clients_zone.zone

    @property
    def resync_function(self) -> lambda_.Function:
        """The function that keeps the records true."""
        return self.resync.function

    def add_alarms(self, topic: sns.ITopic) -> list[cloudwatch.IAlarm]:
        """Adds every alarm of the cluster (docs/runbook.md has each) and lets them publish to the topic."""
        stopped = StoppedTasks(self, "Stopped").of(
            self.monitored.label, self.monitored.ecs_cluster_arn
        )
        alarms = Alarms(
            self,
            "Alarms",
            watched=self.monitored,
            stopped=stopped,
            prefix=f"{self.environment_name}-{self.monitored.label}",
            topic=topic,
        )
        return alarms.every


def refuse_impossible(cluster: ProxiedCluster, mode: ProxyMode, ttl: int) -> None:
    """Raises ConfigError for what would deploy and then not work."""
    if cdk.Token.is_unresolved(cluster.replication_group_id):
        msg = "replication_group_id: is a token; give the group an id of its own and use that text"
        raise ConfigError(msg)
    if not 1 <= ttl <= 3600:  # noqa: PLR2004 (an hour)
        msg = f"ttl: got {ttl}; allowed: 1 to 3600 s"
        raise ConfigError(msg)
    if not any(client.vpc_id for client in cluster.clients):
        msg = "client_vpcs: has no VPC; the zone needs one that sees it"
        raise ConfigError(msg)
    same = {client.vpc_id for client in cluster.clients} & {cluster.network.vpc_id}
    if mode.overrides_cluster_names and same:
        msg = (
            f"client_vpcs: {cluster.network.vpc_id} is the HAProxies' own VPC; its resolver would lead each HAProxy"
            " to itself; run the HAProxies in another VPC"
        )
        raise ConfigError(msg)
