"""Why a proxy has no node, read from its own log: as far as that can be read."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lab.layout import ROOT
from nodeway_runtime.functions.proxy_log import MAX_PAGES, MAX_PROXIES, ProxyLog, explain_node_down
from nodeway_runtime.paths.report import Proxy
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.reports import ZONE, path, report, row

TLS = (
    'Server node/node is DOWN, reason: Layer6 invalid response, info: "SSL handshake failure'
    ' (error:0A000086:SSL routines::certificate verify failed)", check duration: 3ms.'
)
REFUSED = 'Server node/node is DOWN, reason: Layer4 connection problem, info: "Connection refused".'
UP = "Server node/node is UP, reason: Layer6 check passed, check duration: 3ms."


@dataclass(slots=True)
class Logs:
    """CloudWatch Logs with these pages of messages; an error instead of a page is raised."""

    pages: Sequence[Sequence[str] | Exception]
    asked: list[dict[str, Any]] = field(default_factory=list)

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 (its parameters)
        """The page of a token."""
        self.asked.append(asked)
        place = int(asked.get("nextToken", 0))
        page = self.pages[place % len(self.pages)]
        if isinstance(page, Exception):
            raise page
        more = {"nextToken": str(place + 1)} if place + 1 < len(self.pages) else {}
        return {"events": [{"message": one} for one in page], **more}


def said(*pages: Sequence[str] | Exception, **proxy: Any) -> tuple[str, Logs]:  # noqa: ANN401 (fields)
    """What the log of the node's proxy gives, and how it was asked."""
    logs = Logs(pages)
    one = path("demo-0001-001").proxy
    assert one is not None
    return ProxyLog(logs, "proxies")(replace(one, **proxy)), logs


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "FilterLogEvents")


def test_last_reason_is_the_one() -> None:
    """Of all pages, whatever else is in them."""
    reason, _ = said([REFUSED, UP], [], [TLS, "[NOTICE] a line"])

    assert reason.startswith("Layer6 invalid response")
    assert "certificate verify failed" in reason
    assert said([TLS], [REFUSED])[0].startswith("Layer4 connection problem")


def test_only_the_task_s_own_stream_is_asked() -> None:
    """By the name that ECS gives it: prefix, container, task."""
    _, logs = said([TLS], task="arn:aws:ecs:us-east-1:123456789012:task/nodeway/0123abcd")

    (asked,) = logs.asked
    assert asked == {
        "logGroupName": "proxies",
        "logStreamNames": ["demo-0001-001/haproxy/0123abcd"],
        "filterPattern": '"Server node/node is"',
    }
    streams = said([TLS], stand_in=True)[1].asked[0]["logStreamNames"]
    assert streams[0].startswith("stand-in/haproxy/")


def test_server_has_the_name_that_is_looked_for() -> None:
    """HAProxy tells its backend's and its server's."""
    text = (ROOT / "haproxy_templates" / "haproxy.cfg.j2").read_text()

    assert "\nbackend node\n" in text
    assert "\n    server node " in text


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([[]], id="empty"),
        pytest.param([[UP]], id="up"),
        pytest.param([[TLS, UP]], id="up again"),
        pytest.param([[TLS], [UP], ["[NOTICE] a line"]], id="up again, in another page"),
        pytest.param([["Server node/node is DOWN"]], id="no reason"),
        pytest.param([["Server node/node is going DOWN, reason: x"]], id="others"),
        pytest.param([["somebody says that it is DOWN, reason: x"]], id="not HAProxy"),
        pytest.param([refusal("ResourceNotFoundException")], id="no stream"),
        pytest.param([refusal("AccessDeniedException")], id="no right"),
        pytest.param([EndpointConnectionError(endpoint_url="https://logs")], id="no way"),
    ],
)
def test_log_that_says_nothing_of_now_or_cannot_be_read_gives_no_reason(
    pages: list[list[str] | Exception],
) -> None:
    """A node that came back since is not down for a reason of before."""
    assert said(*pages)[0] == ""


def test_log_that_is_very_long_is_not_read_to_its_end() -> None:
    reason, logs = said(*[[TLS]] * (MAX_PAGES + 5))

    assert len(logs.asked) == MAX_PAGES
    assert reason


def test_reason_is_no_longer_than_a_reader_wants() -> None:
    assert len(said([f"Server node/node is DOWN, reason: {'long ' * 200}"])[0]) <= 200


DOWN = row("demo-0001-001", Verdict.NODE_DOWN, detail="closed")


@dataclass(slots=True)
class Reasons:
    """What each proxy says, by its address."""

    by_address: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, proxy: Proxy) -> str:
        """The reason of one."""
        self.asked.append(proxy.address)
        return self.by_address.get(proxy.address, "")


def test_any_other_reason_is_told_under_the_same_verdict() -> None:
    where = DOWN.paths[0].address

    one = explain_node_down(report(DOWN), Reasons({where: "Layer4 timeout"}))

    assert one.rows[0].verdict is Verdict.NODE_DOWN
    assert one.rows[0].detail == f"{where}: its proxy says Layer4 timeout"


def test_report_without_reasons_stays_as_it_is() -> None:
    assert explain_node_down(report(DOWN), Reasons()) == report(DOWN)


def test_only_proxies_without_a_node_are_asked() -> None:
    """Of each address that is one of our tasks."""
    nobody = replace(DOWN.paths[0], proxy=None)
    mixed = replace(DOWN, paths=(path("demo-0001-001"), nobody, DOWN.paths[0]))
    reasons = Reasons()

    explain_node_down(report(row("a"), row("b", Verdict.DEAD_PROXY), mixed), reasons)

    assert reasons.asked == [DOWN.paths[0].address]


def test_certificate_that_the_proxy_refuses_is_another_verdict() -> None:
    """The client sees only that the proxy closes; one such among several paths is the row's."""
    first = path("demo-0001-001", number=1, verdict=Verdict.NODE_DOWN, far=False)
    second = path("demo-0001-001", number=2, verdict=Verdict.NODE_DOWN, far=False)
    several = replace(DOWN, paths=(first, second))

    one = explain_node_down(report(several), Reasons({second.address: f"Layer6, {TLS}"})).rows[0]

    assert one.verdict is Verdict.CERTIFICATE_REFUSED
    assert one.detail.startswith(f"{second.address}: its proxy says Layer6")
    assert [way.verdict for way in one.paths] == [Verdict.NODE_DOWN, Verdict.CERTIFICATE_REFUSED]


def test_where_half_of_a_cluster_is_down_not_every_log_is_read() -> None:
    rows = [row(f"demo-{n:04}-001", Verdict.NODE_DOWN) for n in range(MAX_PROXIES + 5)]
    reasons = Reasons()

    explain_node_down(report(*rows), reasons)

    assert len(reasons.asked) == MAX_PROXIES


def test_proxy_that_several_names_lead_to_is_asked_once() -> None:
    """The configuration endpoint leads to them, too."""
    down = path("demo-0001-001", number=3, verdict=Verdict.NODE_DOWN, far=False)
    names = ("clustercfg", "demo-0001-001")
    reasons = Reasons()

    explain_node_down(
        report(*(row(one, Verdict.NODE_DOWN, paths=[down]) for one in names)), reasons
    )

    assert len(reasons.asked) == 1


def test_proxy_of_all_nodes_is_not_asked() -> None:
    """It checks none, and its stream has another name."""
    assert said([TLS], node=f"*.{ZONE}")[1].asked == []
