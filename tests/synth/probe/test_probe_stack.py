"""The probe's templates: two functions with as little network as they can do with."""

import json
from collections.abc import Callable

import pytest

from nodeway_runtime.model.settings import Settings
from nodeway_runtime.probe.settings import CoordinatorSettings, ProberSettings
from tests.support.synth.probed import (
    FIRST,
    FUNCTION,
    GROUP,
    INGRESS,
    RULE,
    SECOND,
    SECRET,
    SUBNETS,
    client,
    functions,
    plain,
    synthesis_of,
    with_iam,
    with_secret,
)
from tests.support.synth.shapes import outputs, properties, types, waits_for
from tests.synth.conftest import Synthesis


def test_without_subnets_there_is_no_probe(dev: Synthesis) -> None:
    """Nor a trace of one in another stack."""
    assert "probe" not in dev.templates
    assert set(plain().templates) == {*dev.templates, "probe"}
    assert "probe" not in json.dumps(dev.templates["haproxy"]).lower()


def test_probe_is_deployed_when_the_records_are_there() -> None:
    """Before that every path is broken, and an alarm would say so."""
    assert "resync" in waits_for(plain(), "-probe")


def test_function_is_in_the_given_subnets_with_the_settings_that_it_reads() -> None:
    one = functions(plain())[FIRST]

    assert one["VpcConfig"]["SubnetIds"] == SUBNETS
    assert one["Handler"] == "nodeway_runtime.functions.prober.handle"
    assert (one["Timeout"], one["MemorySize"]) == (60, 1024)
    settings = ProberSettings.from_environment(one["Environment"]["Variables"])
    assert (settings.port, settings.client, settings.replication_group_id) == (
        6379,
        FIRST,
        "sessions",
    )
    assert (settings.login_secret_arn, settings.iam_username) == ("", "")


def test_function_that_knows_aws_is_in_no_vpc_and_has_the_settings_that_it_reads() -> None:
    one = functions(with_secret())["coordinator"]
    variables = one["Environment"]["Variables"]

    assert "VpcConfig" not in one
    watch = CoordinatorSettings.from_environment(variables)
    assert (watch.group, len(watch.walkers), watch.node_metrics) == ("sessions", 2, True)
    assert (
        Settings.from_environment(variables).zone_name == "sessions.a1b2c3.use1.cache.amazonaws.com"
    )
    assert not {"STAND_IN", "MAX_STAND_INS", "APPROVE", "TAKE_OVER"} & variables.keys()
    assert one["Timeout"] > functions(with_secret())[FIRST]["Timeout"]


@pytest.mark.parametrize(
    ("synthesis", "ports"), [(plain, [6379]), (with_secret, [6379, 443]), (with_iam, [6379])]
)
def test_nobody_comes_in_and_it_goes_out_to_the_proxies_port_only(
    synthesis: Callable[[], Synthesis], ports: list[int]
) -> None:
    """And to its secret's endpoint, where it has one: nothing else of the client's network is open to it."""
    made = synthesis()
    stack = next(one for one in made.templates if one.endswith("probe"))

    for group in properties(made, stack, GROUP):
        assert "SecurityGroupIngress" not in group
        rules = group["SecurityGroupEgress"]
        assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules] == [
            ("tcp", port, port) for port in ports
        ]
    own = {f"<{key}.GroupId>" for key in made.resources(stack, GROUP)}
    assert not own & {rule["GroupId"] for rule in properties(made, stack, INGRESS)}
    assert not {"AWS::EC2::SecurityGroupEgress", "AWS::EC2::VPCEndpoint"} & types(made, stack)


def test_proxies_let_the_probe_in_where_the_vpc_lists_who_may() -> None:
    """Where the whole range may connect, no rule is needed."""
    made = with_secret()
    (rule,) = properties(made, "probe", INGRESS)
    (fleet,) = made.resources("haproxy", GROUP)
    (group,) = [
        key
        for key, one in made.resources("probe", GROUP).items()
        if one["Properties"]["VpcId"] == FIRST
    ]

    assert rule["GroupId"] == f"<{fleet}.GroupId>"
    assert rule["SourceSecurityGroupId"] == f"<{group}.GroupId>"
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 6379, 6379)
    assert INGRESS not in types(plain(), "probe")


def test_no_secret_s_value_is_in_a_template() -> None:
    """Only its ARN: what resolves a value at deploy time would leave it in the function's environment."""
    text = json.dumps(with_secret().templates["probe"])

    assert SECRET in text
    assert "resolve:secretsmanager" not in text
    assert "SecretString" not in text


def test_it_runs_each_minute_and_a_run_that_failed_is_not_tried_again() -> None:
    """The next is as good, and two at once would count the same redirects twice."""
    (rule,) = properties(plain(), "probe", RULE)
    calls = properties(plain(), "probe", "AWS::Lambda::EventInvokeConfig")

    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    (watch,) = [
        key
        for key, one in plain().resources("probe", FUNCTION).items()
        if one["Properties"]["Handler"] == "nodeway_runtime.functions.coordinator.handle"
    ]
    assert [one["Arn"] for one in rule["Targets"]] == [f"<{watch}.Arn>"]
    assert [(one["MaximumRetryAttempts"], one["MaximumEventAgeInSeconds"]) for one in calls] == [
        (0, 60)
    ] * 2
    assert outputs(plain(), "probe") == {"ProbeFunction": f"<{watch}>"}


def test_each_client_vpc_has_a_function_of_its_own() -> None:
    """And the watch knows both."""
    made = with_secret()
    found = functions(made)

    assert set(found) == {FIRST, SECOND, "coordinator"}
    assert [found[vpc]["VpcConfig"]["SubnetIds"] for vpc in (FIRST, SECOND)] == [
        SUBNETS,
        ["subnet-0000000c"],
    ]
    walkers = found["coordinator"]["Environment"]["Variables"]["WALKERS"].split(",")
    assert len(set(walkers)) == 2
    groups = properties(made, "probe", GROUP)
    assert [one["VpcId"] for one in groups] == [FIRST, SECOND]


def test_vpc_with_two_ranges_has_one_function() -> None:
    """With all of its subnets; a VPC without subnets has none."""
    ranges = [
        client(probe_subnet_ids=["subnet-0000000a"], security_group_ids=["sg-0000000c"]),
        client(cidr="10.41.0.0/16", probe_subnet_ids=["subnet-0000000b", "subnet-0000000a"]),
        client(cidr="10.42.0.0/16", probe_subnet_ids=[]),
    ]

    made = synthesis_of(*ranges, client(SECOND, "10.43.0.0/16", probe_subnet_ids=[]))

    found = functions(made)
    assert set(found) == {FIRST, "coordinator"}
    assert found[FIRST]["VpcConfig"]["SubnetIds"] == SUBNETS
    assert len(properties(made, "probe", INGRESS)) == 1


def test_shared_proxies_are_probed_too() -> None:
    made = with_iam()
    found = functions(made, "shared-probe")
    variables = found["coordinator"]["Environment"]["Variables"]

    assert (
        Settings.from_environment(variables).fleet_name
        == "*.sessions.a1b2c3.use1.cache.amazonaws.com"
    )
    assert CoordinatorSettings.from_environment(variables).group == "sessions"
    assert found[FIRST]["Environment"]["Variables"]["IAM_USERNAME"] == "probe"


def test_only_its_schedule_may_invoke_the_watch() -> None:
    """Who looks at the dashboard invokes it with rights of his own."""
    (permission,) = properties(plain(), "probe", "AWS::Lambda::Permission")
    (rule,) = plain().resources("probe", RULE)

    assert permission["Action"] == "lambda:InvokeFunction"
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == f"<{rule}.Arn>"
