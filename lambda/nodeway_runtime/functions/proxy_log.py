"""Reads from a proxy's log why its health check took the node down."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nodeway_runtime.aws.ecs import CONTAINER
from nodeway_runtime.paths.report import Path, Proxy, Report, Row
from nodeway_runtime.paths.verdicts import Verdict

STATE = '"Server node/node is"'
"""In HAProxy's message when the node's state changes. haproxy.cfg.j2 has the names of backend and server."""
DOWN = " is DOWN"
TLS_REFUSED = "SSL handshake failure"
"""The reason when the node answers but TLS fails."""
MAX_PAGES = 20
MAX_PROXIES = 20
"""Proxies whose log is read in one run. With more, the cause is hardly in the logs."""

Reason = Callable[[Proxy], str]


class ProxyLog:
    """Reads the proxies' log group."""

    def __init__(self, client: Any, log_group: str) -> None:  # noqa: ANN401 (a boto3 client)
        self._client = client
        self._log_group = log_group

    def __call__(self, proxy: Proxy) -> str:
        """Why a proxy took its node down; empty when it did not, or when its log cannot be read."""
        if proxy.node.startswith("*"):
            return ""  # Shared proxies check no node.
        label = "stand-in" if proxy.stand_in else proxy.node.partition(".")[0]
        stream = f"{label}/{CONTAINER}/{proxy.task.rpartition('/')[2]}"
        query: dict[str, Any] = {
            "logGroupName": self._log_group,
            "logStreamNames": [stream],
            "filterPattern": STATE,
        }
        last = ""
        try:
            for _ in range(MAX_PAGES):
                page = self._client.filter_log_events(**query)
                for event in page["events"]:
                    message = str(event["message"])
                    last = message if STATE.strip('"') in message else last
                if "nextToken" not in page:
                    break
                query["nextToken"] = page["nextToken"]
        except (ClientError, BotoCoreError):
            return ""
        return last.partition("reason: ")[2].strip()[:200] if DOWN in last else ""


def explain_node_down(report: Report, reason: Reason) -> Report:
    """The report with the proxies' reasons for NODE_DOWN, which may make it CERTIFICATE_REFUSED."""
    proxies = {
        path.proxy.task: path.proxy
        for row in report.rows
        for path in row.paths
        if path.verdict is Verdict.NODE_DOWN and path.proxy
    }
    reasons = {task: reason(proxy) for task, proxy in list(proxies.items())[:MAX_PROXIES]}
    return replace(report, rows=tuple(_explain_row(row, reasons) for row in report.rows))


def _explain_row(row: Row, reasons: Mapping[str, str]) -> Row:
    if row.verdict is not Verdict.NODE_DOWN:
        return row
    paths = tuple(_explain_path(path, reasons) for path in row.paths)
    worst = next((path for path in paths if path.verdict is Verdict.CERTIFICATE_REFUSED), None)
    worst = worst or next(path for path in paths if path.verdict is Verdict.NODE_DOWN)
    return replace(row, paths=paths, verdict=worst.verdict, detail=worst.detail)


def _explain_path(path: Path, reasons: Mapping[str, str]) -> Path:
    reason = reasons.get(path.proxy.task) if path.proxy else None
    if path.verdict is not Verdict.NODE_DOWN or not reason:
        return path
    verdict = Verdict.CERTIFICATE_REFUSED if TLS_REFUSED in reason else path.verdict
    return replace(path, verdict=verdict, detail=f"{path.address}: its proxy says {reason}")
