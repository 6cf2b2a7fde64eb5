"""Why a proxy has no node behind it, in its own words: HAProxy logs the reason when its check takes the node down."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nodeway_runtime.aws.ecs import CONTAINER
from nodeway_runtime.paths.report import Path, Proxy, Report, Row
from nodeway_runtime.paths.verdicts import Verdict

STATE = '"Server node/node is"'
"""What HAProxy says when its check takes the node down, or brings it back; haproxy.cfg.j2 has the server's name."""
DOWN = " is DOWN"
TLS_REFUSED = "SSL handshake failure"
"""A node that is down refuses the connection itself, or is silent."""
MAX_PAGES = 20
MAX_PROXIES = 20
"""Proxies whose log is read in a run: where half of a cluster is down, the reason is not in the logs."""

Reason = Callable[[Proxy], str]


class ProxyLog:
    """The log group of the proxies."""

    def __init__(self, client: Any, log_group: str) -> None:  # noqa: ANN401 (a boto3 client)
        self._client = client
        self._log_group = log_group

    def __call__(self, proxy: Proxy) -> str:
        """Why a proxy has taken its node down; empty when it has not, or when its log cannot be read."""
        if proxy.node.startswith("*"):
            return ""  # one for all nodes has no check of any
        label = "stand-in" if proxy.stand_in else proxy.node.partition(".")[0]
        stream = f"{label}/{CONTAINER}/{proxy.task.rpartition('/')[2]}"
        asked: dict[str, Any] = {
            "logGroupName": self._log_group,
            "logStreamNames": [stream],
            "filterPattern": STATE,
        }
        last = ""
        try:
            for _ in range(MAX_PAGES):
                page = self._client.filter_log_events(**asked)
                for event in page["events"]:
                    said = str(event["message"])
                    last = said if STATE.strip('"') in said else last
                if "nextToken" not in page:
                    break
                asked["nextToken"] = page["nextToken"]
        except (ClientError, BotoCoreError):
            return ""
        return last.partition("reason: ")[2].strip()[:200] if DOWN in last else ""


def explain_node_down(report: Report, reason: Reason) -> Report:
    """The report with the reasons of those proxies that have no node: it may be the certificate that they refuse."""
    proxies = {
        path.proxy.task: path.proxy
        for row in report.rows
        for path in row.paths
        if path.verdict is Verdict.NODE_DOWN and path.proxy
    }
    # each once, whatever names lead there
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
    said = reasons.get(path.proxy.task) if path.proxy else None
    if path.verdict is not Verdict.NODE_DOWN or not said:
        return path
    verdict = Verdict.CERTIFICATE_REFUSED if TLS_REFUSED in said else path.verdict
    return replace(path, verdict=verdict, detail=f"{path.address}: its proxy says {said}")
