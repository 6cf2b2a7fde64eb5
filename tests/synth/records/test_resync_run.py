"""Whole runs with the settings and the policy of the template: AWS refuses whatever the policy does not allow.

Everything that a deployment's life needs is done here, and in the end every allowed action has been needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from nodeway_runtime.aws.ecs import Ecs
from nodeway_runtime.aws.elasticache import ElastiCache
from nodeway_runtime.aws.route53 import Route53Zone
from nodeway_runtime.aws.stand_in_zone import Route53StandInZone
from nodeway_runtime.functions.custom_resource import remove
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.planner.reconcile import Outcome, applying_executor, reconcile
from tests.support.fake_aws.calls import Calls, Clock, Shape, client_error
from tests.support.fake_aws.ecs import FakeEcs
from tests.support.fake_aws.elasticache import FakeElastiCache, Member
from tests.support.fake_aws.route53 import FakeRoute53, HostedZone
from tests.support.fakes import ENDPOINT, ONE, THREE, TWO, ZONE, MemoryJournal, named
from tests.support.synth.policy import Ask, Policy, concrete, family, known, policy, several
from tests.synth.conftest import CONTEXT, Synthesis, Synthesise

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elasticache import ElastiCacheClient
    from mypy_boto3_route53 import Route53Client

ACCOUNT, FLEET = "123456789012", "nodeway"
ECS = f"arn:aws:ecs:us-east-1:{ACCOUNT}:"
CACHE = f"arn:aws:elasticache:us-east-1:{ACCOUNT}:"
IN_FLEET = {"ecs:cluster": f"{ECS}cluster/{FLEET}"}
WRITE = "route53:ChangeResourceRecordSets"
WRITES_ITSELF = {"logs:CreateLogStream", "logs:PutLogEvents"}
LAMBDA_DOES = {"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}


@dataclass(slots=True)
class Judged(Calls):
    """Calls that IAM judges, after the Service Authorization Reference."""

    policy: Policy = field(default_factory=lambda: Policy(()))
    family: str = ""
    tags_of: "Callable[[str], dict[str, str]]" = field(default=lambda _: {})
    used: set[str] = field(default_factory=set)
    refused: list[Ask] = field(default_factory=list)

    def __call__(
        self, service: str, operation: str, asked: Shape, answer: "Callable[[], Shape]"
    ) -> Shape:
        """Refuses the call unless every permission that it needs is there."""
        for ask in self.asks(f"{service}:{operation}", asked):
            if not self.policy.allows(ask):
                self.refused.append(ask)
                raise client_error(operation, "AccessDeniedException", f"not allowed: {ask}")
            self.used.add(ask.action)
        return super(Judged, self).__call__(service, operation, asked, answer)

    def asks(self, action: str, asked: Shape) -> Iterator[Ask]:  # noqa: C901 (a case an action)
        """The permissions that a call needs."""
        match action:
            case "elasticache:DescribeReplicationGroups":
                yield Ask(action, f"{CACHE}replicationgroup:{asked['ReplicationGroupId']}")
            case "elasticache:DescribeCacheClusters":
                yield Ask(action, f"{CACHE}cluster:*")
            case "ecs:ListTasks" | "ecs:ListServices":
                assert asked["cluster"] == FLEET
                yield Ask(action, "*", IN_FLEET)
            case "ecs:DescribeTasks" | "ecs:DescribeServices":
                assert asked["cluster"] == FLEET
                yield from (
                    Ask(action, arn, IN_FLEET)
                    for arn in asked.get("tasks", []) + asked.get("services", [])
                )
            case "ecs:RunTask":
                yield from self.run_task(asked)
            case "ecs:TagResource" | "ecs:StopTask":
                arn = str(asked.get("resourceArn", asked.get("task")))
                tags = {f"aws:ResourceTag/{key}": v for key, v in self.tags_of(arn).items()}
                yield Ask(action, arn, tags | IN_FLEET)
            case "route53:ChangeResourceRecordSets":
                yield Ask(action, zone_arn(asked["HostedZoneId"]), written(asked))
            case "route53:ListResourceRecordSets" | "route53:GetHostedZone":
                yield Ask(action, zone_arn(asked.get("HostedZoneId") or asked["Id"]))
            case _:
                pytest.fail(f"nobody thought of {action}")

    def run_task(self, asked: Shape) -> Iterator[Ask]:
        """RunTask needs its own, the right to tag what it makes, and to pass both roles."""
        assert asked["cluster"] == FLEET
        assert asked["taskDefinition"] == self.family
        yield Ask("ecs:RunTask", f"{ECS}task-definition/{self.family}:3", IN_FLEET)
        tagging = {"ecs:CreateAction": "RunTask"} | IN_FLEET
        yield Ask("ecs:TagResource", f"{ECS}task/{FLEET}/*", tagging)
        for role in ("task", "execution"):
            passed = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
            yield Ask("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{role}", passed)


def zone_arn(zone_id: str) -> str:
    """A hosted zone's ARN."""
    return f"arn:aws:route53:::hostedzone/{zone_id}"


def written(asked: Shape) -> dict[str, list[str]]:
    """The condition keys of a change: IAM holds the whole request against a statement."""
    changes = asked["ChangeBatch"]["Changes"]
    sets = [change["ResourceRecordSet"] for change in changes]
    return {
        f"{WRITE}RecordTypes": [one["Type"] for one in sets],
        f"{WRITE}Actions": [change["Action"] for change in changes],
        f"{WRITE}NormalizedRecordNames": [one["Name"].lower().rstrip(".") for one in sets],
    }


class Deployed:
    """What the template makes, with fakes for AWS."""

    def __init__(self, made: Synthesis) -> None:
        there = known(made, ACCOUNT, FLEET)
        self.clock = Clock()
        self.calls = Judged(policy=policy(made, there), family=family(made))
        self.elasticache = FakeElastiCache(self.calls, self.clock, ENDPOINT)
        self.ecs = FakeEcs(self.calls, self.clock)
        self.calls.tags_of = lambda arn: self.ecs.tasks[arn].tags
        variables = made.only("resync", "AWS::Lambda::Function")["Environment"]["Variables"]
        self.settings = Settings.from_environment(concrete(variables, made, there))
        zones = {
            "Z0CLIENTS": HostedZone(ZONE),
            "Z0PARKING": HostedZone("demo.dev.nodeway.internal"),
        }
        self.route53 = FakeRoute53(self.calls, zones)
        for label in (ONE, TWO):
            self.comes(label)
            self.ecs.services[named(label)] = 1
        self.later()

    @property
    def ports(self) -> Ports:
        """The real adapters."""
        route53 = cast("Route53Client", self.route53)
        return Ports(
            ElastiCache(cast("ElastiCacheClient", self.elasticache)),
            Ecs(cast("ECSClient", self.ecs), clock=self.clock.timestamp),
            Route53Zone(route53, self.settings.hosted_zone_id),
            Route53StandInZone(route53, "Z0PARKING"),
        )

    def run(self) -> Outcome:
        """A run, a while after the last."""
        self.later()
        now = self.clock.now
        executor = applying_executor(self.ports, self.settings, "test", now)
        return reconcile(self.ports, self.settings, MemoryJournal(), executor, now)

    def later(self) -> None:
        """Time goes by, and ECS does what it does."""
        self.ecs.keep_services()
        self.clock.advance(60)

    def comes(self, label: str, status: str = "available") -> None:
        """A node of the cluster."""
        shown = status == "available"
        self.elasticache.put(Member(label, named(label), "us-east-1a", status, shown))

    def answers(self, label: str) -> list[str]:
        """What a name leads to."""
        one = self.route53.zones["Z0CLIENTS"].sets.get((f"{named(label)}.", "A", ""), {})
        return [value["Value"] for value in one.get("ResourceRecords", [])]


@pytest.fixture(scope="session")
def made(synthesise: Synthesise) -> Synthesis:
    """The app for the cluster that the fakes are about."""
    cluster = {"replication_group_id": "demo", "nodes": [named(ONE), named(TWO)]}
    block = {**CONTEXT["environments"]["dev"], "account": ACCOUNT, "clusters": [cluster]}
    return synthesise(block)


def test_policy_allows_all_that_a_deployments_life_needs_and_nothing_more(made: Synthesis) -> None:
    """First fill, a moved task, a new node with stand-in and then its own, a node that leaves, and the end."""
    here = Deployed(made)
    here.run()
    filled = here.answers(ONE)
    assert filled

    for task in here.ecs.tasks.values():
        task.stopped = task.node == named(ONE)
    here.run()
    assert here.answers(ONE) != filled

    here.comes(THREE, "creating")
    here.run()
    here.comes(THREE)
    here.run()
    (stand_in,) = [task for task in here.ecs.running if task.stand_in]
    assert here.answers(THREE) == [stand_in.address]
    here.ecs.services[named(THREE)] = 1
    for _ in range(4):
        here.run()
    assert here.answers(THREE) != [stand_in.address]
    assert stand_in.stopped

    del here.elasticache.members[THREE]
    del here.ecs.services[named(THREE)]
    for _ in range(4):
        here.run()
    assert here.answers(THREE) == []
    assert here.run().converged

    here.comes(THREE)
    here.run()
    remove(here.ports, here.settings)
    for zone in here.route53.zones.values():
        assert [kind for _, kind, _ in zone.sets] == ["SOA"]

    assert here.calls.refused == []
    allowed = {one for rule in here.calls.policy.statements for one in several(rule["Action"])}
    assert allowed == here.calls.used | WRITES_ITSELF | LAMBDA_DOES


def test_zone_of_the_settings_is_the_clients_and_parking_is_the_other(made: Synthesis) -> None:
    """They are never taken for each other."""
    here = Deployed(made)

    assert here.settings.hosted_zone_id == "Z0CLIENTS"
    assert here.settings.stand_in is not None
    assert here.settings.stand_in.zone_id == "Z0PARKING"
