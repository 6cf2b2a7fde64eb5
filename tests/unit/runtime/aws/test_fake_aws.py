"""The fakes are as strict as AWS: what the machine is allowed to do to them is what an account would allow."""

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from nodeway_runtime.aws.elasticache import ElastiCache
from nodeway_runtime.model.errors import ReadFailed
from nodeway_runtime.model.topology import Hostname
from tests.support.fake_aws.calls import Calls, Clock, Crash, Fault, Shape
from tests.support.fake_aws.ecs import FakeEcs, Task
from tests.support.fake_aws.elasticache import FakeElastiCache, Member, View
from tests.support.fake_aws.route53 import FakeRoute53, HostedZone
from tests.support.fakes import ENDPOINT, ONE, TWO, ZONE, named

NAME = f"{named(ONE)}."


def route53() -> FakeRoute53:
    return FakeRoute53(Calls(), {"Z0DEMO": HostedZone(ZONE)})


def elasticache(*members: Member) -> FakeElastiCache:
    fake = FakeElastiCache(Calls(), Clock(), ENDPOINT)
    for member in members:
        fake.put(member)
        fake.noted[member.cache_cluster_id] = 1
    return fake


def plain(name: str = NAME, kind: str = "A", *values: str, ttl: int = 5) -> Shape:
    records = [{"Value": value} for value in values or ("10.20.1.5",)]
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": records}


def change(fake: FakeRoute53, *changes: tuple[str, Shape]) -> None:
    batch = [{"Action": action, "ResourceRecordSet": one} for action, one in changes]
    fake.change_resource_record_sets(HostedZoneId="Z0DEMO", ChangeBatch={"Changes": batch})


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ([("DELETE", plain())], "not found"),
        ([("CREATE", plain()), ("DELETE", plain(ttl=6))], "do not match"),
        ([("CREATE", plain()), ("CREATE", plain(NAME, "CNAME", "a.example"))], "conflicts"),
        ([("CREATE", plain(NAME, "CNAME", "a.example")), ("CREATE", plain())], "conflicts"),
        (
            [("CREATE", plain() | {"SetIdentifier": "b", "Weight": 1}), ("CREATE", plain())],
            "a non simple set exists",
        ),
        ([("CREATE", plain("a.example."))], "not permitted in zone"),
        ([("CREATE", plain(NAME, "A", "1.2.3"))], "not an IPv4 address"),
        ([("CREATE", plain(NAME, "A", "10.0.0.1", "10.0.0.1"))], "Duplicate"),
        ([("CREATE", plain(NAME, "TXT", "bare"))], "quotation marks"),
    ],
)
def test_route53_refuses_and_changes_nothing(
    changes: list[tuple[str, Shape]], refused: str
) -> None:
    """In its own words, and the good part of the batch neither."""
    fake = route53()
    before = dict(fake.zones["Z0DEMO"].sets)

    with pytest.raises(ClientError, match=refused):
        change(fake, ("CREATE", plain(f"good.{ZONE}.")), *changes)

    assert fake.zones["Z0DEMO"].sets == before


def test_route53_takes_a_delete_of_the_same_values_in_another_order() -> None:
    """A record set has values, not a list."""
    fake = route53()
    change(fake, ("CREATE", plain(NAME, "A", "10.0.0.1", "10.0.0.2")))

    change(fake, ("DELETE", plain(NAME.upper(), "A", "10.0.0.2", "10.0.0.1")))

    assert (NAME, "A", "") not in fake.zones["Z0DEMO"].sets


def run(fake: FakeEcs, label: str = ONE, key: str = "t", subnet: str = "subnet-a") -> Task:
    """RunTask as the adapter asks for it."""
    environment = [
        {"name": "NODE_HOSTNAME", "value": named(label)},
        {"name": "NODE_BACKEND", "value": f"{label}.parked.internal"},
    ]
    told = fake.run_task(
        cluster="nodeway",
        taskDefinition="family",
        clientToken=key,
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
        overrides={"containerOverrides": [{"name": "haproxy", "environment": environment}]},
        tags=[
            {"key": "nodeway:node", "value": named(label)},
            {"key": "nodeway:stand-in", "value": "true"},
        ],
    )
    return fake.tasks[told["tasks"][0]["taskArn"]]


def test_run_task_with_the_same_token_is_the_same_task() -> None:
    """Even when it has ended; with other parameters it is refused."""
    fake = FakeEcs(Calls(), Clock())
    first = run(fake)
    first.stopped = True

    assert run(fake) is first
    assert run(fake, key="u") is not first
    with pytest.raises(ClientError, match="ConflictException"):
        run(fake, subnet="subnet-b")


def test_a_task_needs_its_time() -> None:
    """No address, then an address, then running, then healthy."""
    fake, seen = FakeEcs(Calls(), Clock()), list[tuple[str, str, int]]()
    task = run(fake)
    for _ in range(5):
        (told,) = fake.describe_tasks(cluster="nodeway", tasks=[task.arn])["tasks"]
        details = told["attachments"][0]["details"]
        seen.append((told["lastStatus"], told["healthStatus"], len(details)))
        fake.clock.advance(3)

    assert seen == [
        ("PROVISIONING", "UNKNOWN", 1),
        ("PROVISIONING", "UNKNOWN", 2),
        ("RUNNING", "UNKNOWN", 2),
        ("RUNNING", "UNKNOWN", 2),
        ("RUNNING", "HEALTHY", 2),
    ]


def test_a_stopped_task_takes_no_tag_and_is_missing() -> None:
    fake = FakeEcs(Calls(), Clock())
    task = run(fake)
    fake.stop_task(cluster="nodeway", task=task.arn)

    answer = fake.describe_tasks(cluster="nodeway", tasks=[task.arn])
    assert answer["failures"] == [{"arn": task.arn, "reason": "MISSING"}]
    with pytest.raises(ClientError, match="stopped"):
        fake.tag_resource(resourceArn=task.arn, tags=[{"key": "a", "value": "b"}])


@pytest.mark.parametrize(
    ("view", "problems", "nodes"),
    [
        (View.TRUE, 0, 3),
        (View.TRUNCATED, 1, 2),
        (View.NO_CLUSTERS, 3, 0),
        (View.EMPTY, 0, 0),
        (View.LIE, 0, 1),
    ],
)
def test_elasticache_tells_what_the_view_lets_it(view: View, problems: int, nodes: int) -> None:
    """Read by the real adapter, over pages that hold a stranger's cluster too."""
    members = [Member(one, named(one), "us-east-1a", "available", shown=True) for one in (ONE, TWO)]
    fake = elasticache(*members, Member("demo-0002-001", named("demo-0002-001"), "us-east-1b"))
    fake.view = view

    seen = ElastiCache(cast("Any", fake)).topology("demo")

    assert (len(seen.problems), len(seen.nodes)) == (problems, nodes)
    assert "stranger-001" not in {node.cache_cluster_id for node in seen.nodes}


@pytest.mark.parametrize("view", [View.THROTTLED, View.NO_GROUP])
def test_elasticache_fails(view: View) -> None:
    fake = elasticache()
    fake.view = view

    with pytest.raises(ReadFailed):
        ElastiCache(cast("Any", fake)).topology("demo")


def test_a_member_that_is_being_created_shows_no_endpoint() -> None:
    """And one that does is told in letters of either case."""
    fake = elasticache(
        Member(ONE, named(ONE), "us-east-1a"),
        Member(TWO, named(TWO), "us-east-1b", "available", shown=True),
    )

    seen = ElastiCache(cast("Any", fake)).topology("demo")

    assert [node.hostname for node in seen.nodes] == [None, named(TWO)]
    assert Hostname(TWO) in fake.told
    assert named(ONE) not in fake.told


@pytest.mark.parametrize(
    ("fault", "error", "happened"),
    [
        (Fault.CRASH, Crash, False),
        (Fault.CRASH_AFTER, Crash, True),
        (Fault.THROTTLED, ClientError, False),
        (Fault.LOST, ReadTimeoutError, True),
    ],
)
def test_a_chosen_call_fails_before_or_after_it_took_effect(
    fault: Fault, error: type[Exception], *, happened: bool
) -> None:
    """The second call from now, and no other."""
    fake = route53()
    fake.calls.armed[2] = fault
    change(fake, ("CREATE", plain()))

    with pytest.raises(error):
        change(fake, ("DELETE", plain()))
    change(fake, ("CREATE", plain(f"other.{ZONE}.")))

    assert ((NAME, "A", "") not in fake.zones["Z0DEMO"].sets) is happened


def test_a_call_that_the_api_does_not_know_is_an_error_of_the_test() -> None:
    """Every parameter is checked against botocore's own description."""
    fake = FakeEcs(Calls(), Clock())
    with pytest.raises(AssertionError, match="unknown \\['node'\\]"):
        fake.stop_task(task="a", node="b")
    with pytest.raises(AssertionError, match="Missing required parameter"):
        fake.stop_task(cluster="nodeway")
