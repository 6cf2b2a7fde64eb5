"""The coordinator: collects the targets, invokes the prober in each client's VPC, and journals their reports.

It reads the same sources as the resync and changes nothing. For the dashboard's custom widget it returns HTML.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from nodeway_runtime.aws.clients import RETRIES, aws_ports
from nodeway_runtime.aws.elasticache import ElastiCache
from nodeway_runtime.functions.probe_journal import LogJournal
from nodeway_runtime.functions.proxy_log import ProxyLog, explain_node_down
from nodeway_runtime.html.page import render_fragment
from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.ports import ElastiCachePort, Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import Topology
from nodeway_runtime.paths.report import Report, from_document, to_document
from nodeway_runtime.paths.targets import Targets, targets_from_snapshot
from nodeway_runtime.planner.reconcile import read_snapshot
from nodeway_runtime.probe.settings import CoordinatorSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MAX_AGE = timedelta(seconds=90)
"""Maximal age of the reports in the widget: the schedule's minute plus the duration of a run."""
INVOKE_CONFIG = Config(read_timeout=70, connect_timeout=3, retries={"total_max_attempts": 1})
DESCRIPTION = "The map of client name, proxy and node, as the probe saw it last. No parameters."

RunProbe = Callable[[Targets], Report]


class ProbeFailed(RuntimeError):
    """A prober did not return a report."""


@dataclass(slots=True)
class WarmState:
    """The last reports of this process, kept between invocations."""

    reports: tuple[Report, ...] = ()
    at: datetime | None = None


WARM = WarmState()


def handle(event: Mapping[str, Any], context: "LambdaContext") -> object:
    """One run, which returns the reports, or the widget's HTML. Errors are raised, so that alarms fire.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_samples.html
    """
    if event.get("describe"):
        return DESCRIPTION
    now = datetime.now(UTC)
    for_widget = "widgetContext" in event
    theme = read_theme(event.get("widgetContext"))
    if for_widget and WARM.at and now - WARM.at < MAX_AGE:
        return render_html(WARM.reports, now, theme)
    settings, watch = Settings.from_environment(), CoordinatorSettings.from_environment()
    ports = aws_ports(settings)
    nodes = ElastiCache(boto3.client("elasticache", config=RETRIES))
    targets = collect_targets(ports, nodes, settings, watch)
    client = boto3.client("lambda", config=INVOKE_CONFIG)
    # Only runs of the schedule are compared with each other, not those for the widget.
    probes = [remote_probe(client, name, keep=not for_widget) for name in watch.walkers]
    reports = probe_all(probes, targets)
    log = ProxyLog(boto3.client("logs", config=RETRIES), watch.proxy_logs)
    reports = tuple(explain_node_down(report, log) for report in reports)
    WARM.reports, WARM.at = reports, now
    if for_widget:
        return render_html(reports, datetime.now(UTC), theme)
    journal = LogJournal(
        cluster=settings.replication_group_id,
        request_id=context.aws_request_id,
        node_metrics=watch.node_metrics,
    )
    for place, report in enumerate(reports):
        journal.write(report, counts=place == 0)
    return {"reports": [to_document(report) for report in reports]}


def collect_targets(
    ports: Ports, nodes: ElastiCachePort, settings: Settings, watch: CoordinatorSettings
) -> Targets:
    """The targets; raises ReadFailed when the zone cannot be read. Other unread sources become notes."""
    snapshot = read_snapshot(ports, settings)
    topology = snapshot.topology
    if settings.fleet_name is not None:
        # The resync of a fleet with one name reads no nodes.
        try:
            topology = nodes.topology(watch.group)
        except ReadFailed as error:
            topology = Topology(nodes=(), problems=(str(error),))
    return targets_from_snapshot(snapshot, topology, settings, settings.replication_group_id)


def probe_all(probes: Sequence[RunProbe], targets: Targets) -> tuple[Report, ...]:
    """Runs the probes concurrently; raises ProbeFailed when one fails."""
    with ThreadPoolExecutor(max_workers=len(probes)) as pool:
        return tuple(pool.map(lambda probe: probe(targets), probes))


def remote_probe(client: Any, name: str, *, keep: bool) -> RunProbe:  # noqa: ANN401 (a boto3 client)
    """A probe by a prober function. `keep`: the function compares its next run with this one."""

    def probe(targets: Targets) -> Report:
        payload = json.dumps({"map": targets.document(), "keep": keep}).encode()
        answer = client.invoke(FunctionName=name, Payload=payload)
        answered = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise ProbeFailed(
                f"{name} failed: {answered.get('errorType')}: {answered.get('errorMessage')}"
            )
        try:
            return from_document(answered)
        except ValueError as error:
            raise ProbeFailed(f"{name} did not answer with a report: {error}") from error

    return probe


def render_html(reports: Sequence[Report], now: datetime, theme: str) -> str:
    """The widget's content: the map of each report."""
    return "".join(render_fragment(report, now, theme=theme) for report in reports)


def read_theme(context: object) -> str:
    """The dashboard's theme in a widget context, or an empty string."""
    return str(context.get("theme", "")) if isinstance(context, dict) else ""
