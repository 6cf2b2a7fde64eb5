"""The function that knows AWS: makes the map, has it walked from each client's VPC, and tells what was found.

It reads what the resync reads and changes nothing. As the dashboard's custom widget it answers with the map as HTML.
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
"""How old a run may be that a widget shows: the schedule's minute, and what a run takes."""
INVOKE_CONFIG = Config(read_timeout=70, connect_timeout=3, retries={"total_max_attempts": 1})
DESCRIPTION = "The map of client name, proxy and node, as the probe saw it last. No parameters."

RunProbe = Callable[[Targets], Report]


class ProbeFailed(RuntimeError):
    """A function in a client's VPC did not answer with a report."""


@dataclass(slots=True)
class WarmState:
    """The last reports of this process."""

    reports: tuple[Report, ...] = ()
    at: datetime | None = None


WARM = WarmState()


def handle(event: Mapping[str, Any], context: "LambdaContext") -> object:
    """One run, whose reports are the answer, or the widget's HTML. Raises what went wrong, so that alarms fire.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_samples.html
    """
    if event.get("describe"):
        return DESCRIPTION
    now = datetime.now(UTC)
    shown = "widgetContext" in event
    theme = read_theme(event.get("widgetContext"))
    if shown and WARM.at and now - WARM.at < MAX_AGE:
        return render_html(WARM.reports, now, theme)
    settings, watch = Settings.from_environment(), CoordinatorSettings.from_environment()
    ports = aws_ports(settings)
    nodes = ElastiCache(boto3.client("elasticache", config=RETRIES))
    expected = collect_targets(ports, nodes, settings, watch)
    client = boto3.client("lambda", config=INVOKE_CONFIG)
    # what is only shown is not one of the schedule's runs, which count what happened since the last
    walks = [remote_probe(client, name, keep=not shown) for name in watch.walkers]
    reports = probe_all(walks, expected)
    log = ProxyLog(boto3.client("logs", config=RETRIES), watch.proxy_logs)
    reports = tuple(explain_node_down(report, log) for report in reports)
    WARM.reports, WARM.at = reports, now
    if shown:
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
    """The map; raises ReadFailed without the zone. What else could not be read is one of its notes."""
    seen = read_snapshot(ports, settings)
    topology = seen.topology
    if settings.fleet_name is not None:
        # the resync of shared proxies needs no nodes; a walk does
        try:
            topology = nodes.topology(watch.group)
        except ReadFailed as error:
            topology = Topology(nodes=(), problems=(str(error),))
    return targets_from_snapshot(seen, topology, settings, settings.replication_group_id)


def probe_all(walks: Sequence[RunProbe], expected: Targets) -> tuple[Report, ...]:
    """The reports of all clients' VPCs, side by side; raises WalkFailed when one has none."""
    with ThreadPoolExecutor(max_workers=len(walks)) as pool:
        return tuple(pool.map(lambda walk: walk(expected), walks))


def remote_probe(client: Any, name: str, *, keep: bool) -> RunProbe:  # noqa: ANN401 (a boto3 client)
    """Has the map walked by a function; `keep`: the next run is compared with this one."""

    def walk(expected: Targets) -> Report:
        payload = json.dumps({"map": expected.document(), "keep": keep}).encode()
        answer = client.invoke(FunctionName=name, Payload=payload)
        told = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise ProbeFailed(f"{name} failed: {told.get('errorType')}: {told.get('errorMessage')}")
        try:
            return from_document(told)
        except ValueError as error:
            raise ProbeFailed(f"{name} did not answer with a report: {error}") from error

    return walk


def render_html(reports: Sequence[Report], now: datetime, theme: str) -> str:
    """The widget: a map for each client's VPC."""
    return "".join(render_fragment(report, now, theme=theme) for report in reports)


def read_theme(context: object) -> str:
    """What the dashboard says of its theme, which is not the system's; the page takes only the two that there are."""
    return str(context.get("theme", "")) if isinstance(context, dict) else ""
