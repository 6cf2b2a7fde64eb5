"""What is monitored of one cluster: values, so that alarms and dashboard know no other construct."""

from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from nodeway.constructs.proxies.modes import ProxyMode
from nodeway_runtime.model.settings import Mode


@dataclass(frozen=True, slots=True)
class Monitored:
    """One cluster in one mode.

    `schedule`: whether the resync runs by itself. `failed_events`: where its failed events end. `coordinator`: the
    probe's function that writes its metrics and answers as the dashboard's map; None where there is no probe.
    `probe_logs_in`: whether it may ask the nodes for their own counters.
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
        """Whether the probe reads the nodes' own count of redirects. Envoy shows it no node."""
        return self.coordinator is not None and self.mode.runs_haproxy and self.probe_logs_in
