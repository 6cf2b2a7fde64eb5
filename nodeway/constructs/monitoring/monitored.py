"""The parameters of a cluster's alarms and dashboard."""

from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from nodeway.constructs.proxies.modes import ProxyMode
from nodeway_runtime.model.settings import Mode


@dataclass(frozen=True, slots=True)
class Monitored:
    """One cluster in one mode.

    `schedule`: the mode of the resync. `failed_events`: its dead-letter queue. `coordinator`: the probe's function that
    writes its metrics and answers the dashboard's custom widget; None without a probe. `probe_logs_in`: whether the
    probe reads the nodes' own counters.
    """

    label: str
    zone_name: str
    mode: ProxyMode
    ecs_cluster_arn: str
    schedule: Mode
    failed_events: sqs.IQueue
    coordinator: lambda_.IFunction | None = None
    probe_logs_in: bool = False

    @property
    def counts_redirects(self) -> bool:
        """Whether the probe reads the nodes' number of redirects. It reaches no node through Envoy."""
        return self.coordinator is not None and self.mode.runs_haproxy and self.probe_logs_in
