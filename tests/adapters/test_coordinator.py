"""The function that knows AWS, whole: what it has walked, what it shows, and what it raises."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from nodeway_runtime.aws.route53 import to_record_set
from nodeway_runtime.functions import coordinator as watch
from nodeway_runtime.functions.coordinator import DESCRIPTION, MAX_AGE, handle
from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.metrics import ProbeMetric
from nodeway_runtime.paths.report import from_document, to_document
from nodeway_runtime.paths.targets import Targets, parse_targets
from tests.adapters.conftest import lambda_context, moto_zone, set_environment, upsert
from tests.support.elasticache_answers import ElastiCacheServer
from tests.support.fakes import (
    ENDPOINT,
    ONE,
    TWO,
    ZONE,
    named,
    record,
)
from tests.support.programs.loopback import Request, loopback
from tests.support.reports import report


@dataclass(slots=True)
class Lambda:
    """The functions in the clients' VPCs, over HTTP: each answers with the report of an ordinary day."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answer: Callable[[Targets], dict[str, Any]] = lambda _: to_document(report())

    def __call__(self, request: Request) -> tuple[int, bytes]:
        """An invocation, with a map that the function would believe."""
        event = json.loads(request.body)
        name = request.path.split("/")[-2]
        self.calls.append((name, event))
        asked = parse_targets(event["map"], zone=ZONE, port=6379)
        return 200, json.dumps({**self.answer(asked), "client": f"vpc of {name}"}).encode()

    @property
    def map(self) -> dict[str, Any]:
        """The last one that was sent."""
        found: dict[str, Any] = self.calls[-1][1]["map"]
        return found


@pytest.fixture
def walkers(fake_aws: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """A deployment with two clients' VPCs and a zone with one record; nothing was run in this process yet."""
    watch.WARM.reports, watch.WARM.at = (), None
    functions = Lambda()
    with (
        mock_aws(),
        loopback(functions) as lambda_,
        loopback(ElastiCacheServer()) as elasticache,
        loopback(lambda _: (200, b'{"taskArns": []}')) as ecs,
        loopback(lambda _: (200, b'{"events": []}')) as logs,
    ):
        client, zone_id = moto_zone()
        upsert(client, zone_id, dict(to_record_set(record(ONE, "10.20.1.5"))))
        set_environment(fake_aws, zone_id)
        environment = {
            "GROUP": "demo",
            "WALKERS": "walk-one,walk-two",
            "PROXY_LOGS": "proxies",
            "AWS_ENDPOINT_URL_LAMBDA": lambda_.url,
            "AWS_ENDPOINT_URL_ELASTICACHE": elasticache.url,
            "AWS_ENDPOINT_URL_ECS": ecs.url,
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": logs.url,
        }
        for name, value in environment.items():
            fake_aws.setenv(name, value)
        yield functions


def run(event: dict[str, Any]) -> Any:  # noqa: ANN401 (any JSON, or HTML)
    return handle(event, lambda_context())


SCHEDULE: dict[str, Any] = {"source": "aws.events"}
WIDGET: dict[str, Any] = {"widgetContext": {"theme": "dark"}}


def test_each_client_s_vpc_walks_the_map_of_the_moment(walkers: Lambda) -> None:
    """Names, records and endpoint as AWS has them."""
    answer = run(SCHEDULE)

    assert sorted(name for name, _ in walkers.calls) == ["walk-one", "walk-two"]
    assert all(event["keep"] is True for _, event in walkers.calls)
    assert walkers.map["names"] == [named(ONE), named(TWO), ENDPOINT]
    assert walkers.map["records"] == {named(ONE): ["10.20.1.5"]}
    assert walkers.map["notes"] == []
    told = [from_document(one) for one in answer["reports"]]
    assert [one.client for one in told] == ["vpc of walk-one", "vpc of walk-two"]


def test_run_is_journalled_and_one_that_is_only_shown_is_not(
    walkers: Lambda, capfd: pytest.CaptureFixture[str]
) -> None:
    """And such a one does not count as the run before the next."""
    shown = run(WIDGET)
    assert capfd.readouterr().out == ""
    assert [event["keep"] for _, event in walkers.calls] == [False, False]
    assert "vpc of walk-one" in shown
    assert "vpc of walk-two" in shown

    run(SCHEDULE)

    assert f'"{ProbeMetric.PATHS_WALKED}"' in capfd.readouterr().out


def test_widget_shows_the_schedule_s_run_while_it_is_fresh(walkers: Lambda) -> None:
    """However many look at the dashboard, the nodes get no more connections; a walk is as old as its beginning."""
    before = datetime.now(UTC)
    run(SCHEDULE)
    assert watch.WARM.at is not None
    assert before <= watch.WARM.at <= datetime.now(UTC)
    assert len(watch.WARM.reports) == len(walkers.calls) == 2

    assert "vpc of walk-two" in run(WIDGET)
    assert len(walkers.calls) == 2

    run(SCHEDULE)
    assert len(walkers.calls) == 4

    assert timedelta(minutes=1) < MAX_AGE < timedelta(minutes=2)
    watch.WARM.at -= MAX_AGE
    run(WIDGET)
    assert len(walkers.calls) == 6


def test_widget_describes_itself_and_walks_nothing() -> None:
    """As the dashboard's editor asks for it, without an environment."""
    assert run({"describe": True}) == DESCRIPTION


@pytest.mark.usefixtures("walkers")
def test_run_without_the_zone_fails(fake_aws: pytest.MonkeyPatch) -> None:
    """A failed invocation is what the alarm sees; nothing is kept of it."""
    fake_aws.setenv("HOSTED_ZONE_ID", "Z0GONE")

    with pytest.raises(ReadFailed, match="Z0GONE"):
        run(SCHEDULE)

    assert watch.WARM.at is None


def test_nodes_that_cannot_be_read_are_a_note_of_the_map(
    walkers: Lambda, fake_aws: pytest.MonkeyPatch
) -> None:
    """Unknown is not empty: the report says so, and is not in order."""
    walkers.answer = lambda asked: to_document(replace(report(), rows=(), notes=asked.notes))
    refusal = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
    with loopback(lambda _: (403, refusal)) as down:
        fake_aws.setenv("AWS_ENDPOINT_URL_ELASTICACHE", down.url)
        answer = run(SCHEDULE)

    (note,) = walkers.map["notes"]
    assert "AccessDenied" in note
    assert [one["worst"] for one in answer["reports"]] == ["degraded", "degraded"]
