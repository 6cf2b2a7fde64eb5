"""What is watched of one cluster: its configuration, and the stacks that its metrics come from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aws_cdk import aws_lambda as lambda_

from nodeway.config.model import ClusterConfig
from nodeway.lookup.topology import KnownTopology

if TYPE_CHECKING:
    from nodeway.constructs.proxies.fleet import FleetStack
    from nodeway.constructs.records.function import ResyncStack


class Probing(Protocol):
    """The probe of one cluster, as far as it is watched."""

    @property
    def watch(self) -> lambda_.Function:
        """Walks every path each minute, writes its metrics, and answers as the dashboard's map."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """One cluster in one way."""

    cluster: ClusterConfig
    topology: KnownTopology
    fleet: "FleetStack"
    resync: "ResyncStack"
    probe: Probing | None = None

    @property
    def by_haproxy(self) -> bool:
        """Whether HAProxies carry its sessions, each node's own or shared ones."""
        return self.cluster.proxy in {"haproxy", "shared"}

    @property
    def counts_redirects(self) -> bool:
        """Whether the probe reads the nodes' own count of redirects: it must log in, and Envoy shows it no node."""
        may_ask = self.cluster.probe is not None and self.cluster.probe.logs_in
        return self.probe is not None and self.by_haproxy and may_ask
