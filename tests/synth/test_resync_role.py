"""What the function may do: exactly what its runs need."""

from fnmatch import fnmatchcase
from typing import Any, cast

import pytest

from resync.apply import batches
from resync.desired import desired_records
from resync.plan import Change, diff
from resync.route53 import entries
from resync.settings import Settings
from resync.topology import Fleet, Node, Proxy, Record, RecordType, Topology, address, hostname
from tests.fakes import SOA_TEXT
from tests.synth.conftest import Synthesis

ZONE = "sessions.a1b2c3.use1.cache.amazonaws.com"
PREFIX = "route53:ChangeResourceRecordSets"


def statements(dev: Synthesis) -> list[dict[str, Any]]:
    """Everything that the function's role may do."""
    found: list[dict[str, Any]] = dev.only("resync", "AWS::IAM::Policy")["PolicyDocument"][
        "Statement"
    ]
    return found


def imported(dev: Synthesis, stack: str, value: dict[str, Any]) -> dict[str, Any]:
    """How the stack refers to a value of another."""
    outputs = dev.templates[stack]["Outputs"].values()
    (name,) = [
        one["Export"]["Name"] for one in outputs if one["Value"] == value and "Export" in one
    ]
    return {"Fn::ImportValue": name}


def test_role_has_exactly_these_statements(dev: Synthesis) -> None:
    """Least privilege: whoever adds an action, a resource or a condition changes this list, and a reviewer sees it."""
    cluster = imported(dev, "haproxy", {"Fn::GetAtt": ["ClusterEB0386A7", "Arn"]})
    zone = imported(dev, "dns", {"Ref": "ZoneA5DE4B68"})
    zone_arn = {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":route53:::hostedzone/", zone]]
    }
    cache = ":elasticache:us-east-1:111122223333:"

    assert statements(dev) == [
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": ["Logs6819BB44", "Arn"]},
        },
        {
            "Action": ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": ["Failures8A3E1A2F", "Arn"]},
        },
        {
            "Sid": "ReadTopology",
            "Action": [
                "elasticache:DescribeCacheClusters",
                "elasticache:DescribeReplicationGroups",
            ],
            "Effect": "Allow",
            "Resource": [
                {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f"{cache}{what}"]]}
                for what in ("cluster:*", "replicationgroup:sessions")
            ],
        },
        {
            "Sid": "ReadTasks",
            "Action": ["ecs:DescribeTasks", "ecs:ListTasks"],
            "Effect": "Allow",
            "Resource": "*",
            "Condition": {"ArnEquals": {"ecs:cluster": cluster}},
        },
        {
            "Sid": "ReadRecords",
            "Action": "route53:ListResourceRecordSets",
            "Effect": "Allow",
            "Resource": zone_arn,
        },
        {
            "Sid": "WriteAddresses",
            "Action": PREFIX,
            "Effect": "Allow",
            "Resource": zone_arn,
            "Condition": {
                "ForAllValues:StringEquals": {
                    f"{PREFIX}RecordTypes": ["A"],
                    f"{PREFIX}Actions": ["CREATE", "DELETE"],
                },
                "ForAllValues:StringLike": {f"{PREFIX}NormalizedRecordNames": [f"*.{ZONE}"]},
            },
        },
        {
            "Sid": "LowerNegativeTtl",
            "Action": PREFIX,
            "Effect": "Allow",
            "Resource": zone_arn,
            "Condition": {
                "ForAllValues:StringEquals": {
                    f"{PREFIX}RecordTypes": ["SOA"],
                    f"{PREFIX}Actions": ["UPSERT"],
                },
                "ForAllValues:StringLike": {f"{PREFIX}NormalizedRecordNames": [ZONE]},
            },
        },
    ]


def test_role_has_no_other_policy(dev: Synthesis) -> None:
    """No managed policy, and only Lambda may be it."""
    role = dev.only("resync", "AWS::IAM::Role")

    assert "ManagedPolicyArns" not in role
    assert "Policies" not in role
    assert [one["Principal"] for one in role["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "lambda.amazonaws.com"}
    ]


def allowed(batch: tuple[Change, ...], rules: list[dict[str, Any]]) -> bool:
    """Whether IAM lets the batch through: one statement must hold for every value of the whole request."""
    asked: list[dict[str, Any]] = [
        cast("dict[str, Any]", entry) for change in batch for entry in entries(change)
    ]
    values = {
        f"{PREFIX}RecordTypes": {one["ResourceRecordSet"]["Type"] for one in asked},
        f"{PREFIX}Actions": {one["Action"] for one in asked},
        f"{PREFIX}NormalizedRecordNames": {one["ResourceRecordSet"]["Name"] for one in asked},
    }
    return any(
        all(
            any(fnmatchcase(value, pattern) for pattern in patterns)
            for condition in rule["Condition"].values()
            for key, patterns in condition.items()
            for value in values[key]
        )
        for rule in rules
        if rule["Action"] == PREFIX
    )


def zone_plan(ip: str, *current: Record) -> list[tuple[Change, ...]]:
    """The batches that make the zone true for one node with that HAProxy."""
    name = hostname(f"sessions-0001-001.{ZONE}")
    topology = Topology(
        (Node("sessions-0001-001", name, "a", "available"),), hostname(f"clustercfg.{ZONE}")
    )
    fleet = Fleet((Proxy(name, address(ip), "a", "arn", healthy=True),))
    soa = Record(hostname(ZONE), RecordType.SOA, (SOA_TEXT,), 900)
    desired = desired_records(topology, fleet, soa, Settings("sessions", "Z", hostname(ZONE), "c"))
    return list(batches(diff((soa, *current), desired)))


@pytest.mark.parametrize(
    "current",
    [
        (),
        (Record.a(hostname(f"sessions-0001-001.{ZONE}"), [address("10.0.0.9")], 5),),
        (Record.a(hostname(f"gone.{ZONE}"), [address("10.0.0.9")], 5),),
    ],
    ids=["first fill", "update", "delete"],
)
def test_role_allows_what_a_run_does(dev: Synthesis, current: tuple[Record, ...]) -> None:
    """IAM holds a whole request against a statement; neither emulator enforces that, so it is held here."""
    cut = zone_plan("10.0.0.1", *current)

    assert cut
    assert all(allowed(batch, statements(dev)) for batch in cut)


@pytest.mark.parametrize(
    ("kind", "action", "name"),
    [
        ("A", "CREATE", ZONE),
        ("A", "UPSERT", f"a.{ZONE}"),
        ("A", "CREATE", "a.elsewhere.example"),
        ("CNAME", "CREATE", f"a.{ZONE}"),
        ("NS", "UPSERT", ZONE),
        ("SOA", "DELETE", ZONE),
    ],
)
def test_role_allows_nothing_else(dev: Synthesis, kind: str, action: str, name: str) -> None:
    """No other type, action or name."""
    values = {
        f"{PREFIX}RecordTypes": kind,
        f"{PREFIX}Actions": action,
        f"{PREFIX}NormalizedRecordNames": name,
    }
    for rule in statements(dev):
        if rule["Action"] == PREFIX:
            fits = [
                any(fnmatchcase(values[key], pattern) for pattern in patterns)
                for condition in rule["Condition"].values()
                for key, patterns in condition.items()
            ]
            assert not all(fits)
