"""The deployment's own run: until true, gone at the end, and always answered."""

import json
from collections.abc import Callable

import pytest

from nodeway_runtime.functions.custom_resource import (
    REASON_LIMIT,
    converge,
    is_deployment,
    remove,
    respond,
)
from nodeway_runtime.model.errors import (
    ApplyFailed,
    BadSettings,
    Conflict,
    NotConverged,
    ReadFailed,
)
from nodeway_runtime.model.steps import Stop
from nodeway_runtime.model.topology import RecordType
from nodeway_runtime.planner.reconcile import Outcome
from tests.support.fakes import (
    ONE,
    STAND_IN,
    THREE,
    TWO,
    fleet,
    marked,
    named,
    parked,
    pending,
    proxy,
    record,
    settings,
    topology,
    world,
)
from tests.support.programs.loopback import loopback

EVENT = {
    "RequestType": "Create",
    "ResponseURL": "https://example.invalid/answer",
    "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/nodeway/1",
    "RequestId": "11111111-2222-3333-4444-555555555555",
    "LogicalResourceId": "Records",
}


class Clock:
    """Seconds that pass only in pauses; `then` happens in a pause of its number."""

    def __init__(self, seconds: float, **then: Callable[[], None]) -> None:
        self.left = seconds
        self.pauses = 0
        self._then = then

    def seconds_left(self) -> float:
        """What is left."""
        return self.left

    def pause(self) -> None:
        """Two seconds go by."""
        self.left -= 2
        self.pauses += 1
        self._then.get(f"pause_{self.pauses}", lambda: None)()


def test_converge_runs_until_a_run_plans_nothing() -> None:
    """The run that writes is not the proof; the next one is."""
    here, clock = world(topology(ONE), fleet(proxy(ONE, "10.20.1.5"))), Clock(60)

    outcome = converge(here.run, clock.seconds_left, clock.pause)

    assert outcome.converged
    assert clock.pauses == 1


def test_converge_waits_for_the_last_proxy_to_become_healthy() -> None:
    """A deployment is done when every node has its HAProxy, not before."""
    here = world(
        topology(ONE, TWO), fleet(proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.1.6", healthy=False))
    )

    def becomes_healthy() -> None:
        here.ecs.answer = fleet(proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.1.6"))

    clock = Clock(60, pause_3=becomes_healthy)

    outcome = converge(here.run, clock.seconds_left, clock.pause)

    assert outcome.nodes_without_proxy == ()
    assert clock.pauses == 4


@pytest.mark.parametrize(
    "error",
    [ReadFailed("throttled"), Conflict("raced"), ApplyFailed("slow down")],
    ids=lambda e: type(e).__name__,
)
def test_converge_tries_again_after_what_may_pass(error: Exception) -> None:
    """A throttle during a deployment is not the end of it."""
    here, clock = world(topology(ONE), fleet(proxy(ONE, "10.20.1.5"))), Clock(60)
    errors = [error]

    def run() -> Outcome:
        if errors:
            raise errors.pop()
        return here.run()

    assert converge(run, clock.seconds_left, clock.pause).converged


@pytest.mark.parametrize(
    ("error", "seconds", "why"),
    [
        ("", 7, f"still waiting for: no healthy proxy for {named(TWO)}"),
        ("AccessDenied", 5, "AccessDenied"),
        ("", 0, "the first run"),
    ],
    ids=["no proxy", "an error that lasted", "no time at all"],
)
def test_converge_says_what_it_waited_for_when_time_is_up(
    error: str, seconds: float, why: str
) -> None:
    """Whoever reads the failed stack event learns which node it was."""
    here, clock = world(topology(ONE, TWO), fleet(proxy(ONE, "10.20.1.5"))), Clock(seconds)
    here.zone.error = error

    with pytest.raises(NotConverged, match=why):
        converge(here.run, clock.seconds_left, clock.pause)


def test_converge_raises_what_will_not_pass() -> None:
    """A wrong environment does not get better by waiting."""
    clock = Clock(60)

    def run() -> Outcome:
        raise BadSettings("ZONE_NAME is missing")

    with pytest.raises(BadSettings):
        converge(run, clock.seconds_left, clock.pause)
    assert clock.pauses == 0


def test_remove_takes_every_record_of_ours_and_leaves_what_is_somebody_elses() -> None:
    """Live nodes' too: the zone is about to go, and Route 53 keeps it for others' records; twice is as good as once."""
    ours = (*marked(record(ONE, "10.20.1.5")), *marked(record("clustercfg", "10.20.1.5")))
    theirs = (record(TWO, "10.66.0.1"), *marked(record(THREE, "10.66.0.2"), owner="nodeway/x/demo"))
    here = world(topology(ONE), fleet(), *ours, *theirs)

    for _ in range(2):
        remove(here.ports, settings())

    assert {r for r in here.zone.records() if r.type is not RecordType.SOA} == set(theirs)
    assert len(here.zone.batches) == 1


def test_remove_stops_every_stand_in_and_only_those() -> None:
    """ECS keeps a cluster that has tasks; the services' own tasks go with their services."""
    running = fleet(
        proxy(ONE, "10.20.1.5"), proxy(TWO, "10.20.8.2", stand_in=True), pending(THREE, "p")
    )
    here = world(topology(ONE, TWO, THREE), running)
    here.stand_in_zone.write((parked(TWO),))

    remove(here.ports, settings(stand_in=STAND_IN))

    assert {type(step) for step in here.ecs.steps} == {Stop}
    assert sorted(step.node for step in here.ecs.steps) == [named(TWO), named(THREE)]
    assert here.stand_in_zone.names == {}


def test_remove_keeps_each_name_and_its_marker_in_one_batch() -> None:
    """Half of a pair would look like somebody else's to whoever comes next."""
    records = [one for n in range(600) for one in marked(record(f"n{n:04}", "10.20.1.1"))]
    here = world(topology(), fleet(), *records)

    remove(here.ports, settings())

    assert len(here.zone.batches) == 2
    for batch in here.zone.batches:
        subjects = [change.subject for change in batch]
        assert all(subjects.count(name) == 2 for name in set(subjects))


@pytest.mark.parametrize(
    ("failure", "status", "reason"),
    [
        pytest.param(None, "SUCCESS", "the records are true", id="success"),
        pytest.param("NotConverged: why", "FAILED", "NotConverged: why", id="failure"),
    ],
)
def test_respond_puts_the_answer_where_cloudformation_waits(
    failure: str | None, status: str, reason: str
) -> None:
    """One PUT without content type, with every field that CloudFormation asks for."""
    with loopback() as cloudformation:
        event = EVENT | {"ResponseURL": f"{cloudformation.url}/answer?signature=abc"}
        respond(event, physical_id="Z0DEMO-records", failure=failure)

    (request,) = cloudformation.requests
    assert (request.method, request.path) == ("PUT", "/answer?signature=abc")
    assert request.headers["Content-Type"] == ""
    assert json.loads(request.body) == {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": "Z0DEMO-records",
        "StackId": EVENT["StackId"],
        "RequestId": EVENT["RequestId"],
        "LogicalResourceId": "Records",
    }


def test_respond_keeps_the_answer_small_when_the_reason_is_long() -> None:
    """CloudFormation refuses an answer over 4,096 bytes, and would then wait for an hour."""
    with loopback() as cloudformation:
        respond(
            EVENT | {"ResponseURL": cloudformation.url},
            physical_id="Z0DEMO-records",
            failure="ü" * 10_000,
        )

    (request,) = cloudformation.requests
    assert len(json.loads(request.body)["Reason"]) <= REASON_LIMIT
    assert len(request.body) <= 4096


@pytest.mark.parametrize(
    ("event", "is_one"),
    [
        pytest.param(EVENT, True, id="CloudFormation"),
        pytest.param({"source": "aws.events"}, False, id="schedule"),
        pytest.param({"RequestType": "Create"}, False, id="no address to answer to"),
        pytest.param({}, False, id="by hand"),
    ],
)
def test_is_deployment_only_when_cloudformation_waits_for_an_answer(
    event: dict[str, str], *, is_one: bool
) -> None:
    """Every other event only says that it is time to look."""
    assert is_deployment(event) is is_one
