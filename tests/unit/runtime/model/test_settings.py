"""The function's environment: checked whole, once."""

import json

import pytest

from nodeway_runtime.model.errors import BadSettings
from nodeway_runtime.model.settings import Mode, Settings
from nodeway_runtime.model.topology import address
from tests.support.fakes import ONE, OWNER, STAND_IN, ZONE, named

STAND_IN_WIRE = {
    "task_definition": STAND_IN.task_definition,
    "subnets": STAND_IN.subnets,
    "security_group": STAND_IN.security_group,
    "parking_zone_id": STAND_IN.zone_id,
    "parking_zone_name": STAND_IN.zone_name,
}
STAND_IN_TEXT = json.dumps(STAND_IN_WIRE)
GOOD = {
    "REPLICATION_GROUP_ID": "demo",
    "HOSTED_ZONE_ID": "Z0DEMO",
    "ZONE_NAME": ZONE,
    "ECS_CLUSTER": "nodeway",
}


def test_settings_have_defaults_for_what_is_not_required() -> None:
    """Five seconds, on, no pins, nothing approved or taken over, ten stand-ins but no way to start one."""
    found = Settings.from_environment(GOOD)

    assert (found.ttl_seconds, found.mode, found.pins) == (5, Mode.ON, {})
    assert (found.owner, found.approve, found.take_over) == ("nodeway", "", False)
    assert (found.proxy_vpc_id, found.max_stand_ins, found.stand_in) == ("", 10, None)


def test_settings_take_every_variable() -> None:
    """Names and addresses come in normalised."""
    pins = f'{{"{ONE.upper()}.{ZONE}.": ["10.9.0.1", " 10.9.0.2"]}}'
    found = Settings.from_environment(
        GOOD
        | {"ZONE_NAME": f"{ZONE.upper()}.", "TTL_SECONDS": "30", "RESYNC": "observe", "PINS": pins}
        | {"OWNER": OWNER, "APPROVE": "0123456789ab", "TAKE_OVER": "true"}
        | {"PROXY_VPC_ID": "vpc-0000000a", "MAX_STAND_INS": "0", "STAND_IN": STAND_IN_TEXT}
    )

    assert found == Settings(
        "demo",
        "Z0DEMO",
        ZONE,
        "nodeway",
        30,
        Mode.OBSERVE,
        {named(ONE): (address("10.9.0.1"), address("10.9.0.2"))},
        owner=OWNER,
        approve="0123456789ab",
        take_over=True,
        proxy_vpc_id="vpc-0000000a",
        max_stand_ins=0,
        stand_in=STAND_IN,
    )


def test_settings_come_from_the_process_when_none_are_handed_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In Lambda the environment is the process's."""
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)

    assert Settings.from_environment().ecs_cluster == "nodeway"


def test_settings_name_every_problem_at_once() -> None:
    """One look at the log is enough to mend all of it."""
    wrong = {
        "ECS_CLUSTER": "",
        "ZONE_NAME": "not a name",
        "TTL_SECONDS": "soon",
        "RESYNC": "maybe",
        "PINS": "[]",
        "MAX_STAND_INS": "many",
        "STAND_IN": "{}",
    }

    with pytest.raises(BadSettings) as caught:
        Settings.from_environment(wrong)

    text = str(caught.value)
    for part in (
        "REPLICATION_GROUP_ID is missing",
        "HOSTED_ZONE_ID is missing",
        "ECS_CLUSTER is missing",
        "ZONE_NAME: not a host name: got 'not a name'",
        "TTL_SECONDS: got 'soon'; allowed: whole seconds from 1 to 3600",
        "RESYNC: got 'maybe'; allowed: on, observe, off",
        "PINS: got '[]'; allowed: an object",
        "MAX_STAND_INS: got 'many'; allowed: a whole number",
        "STAND_IN: got '{}'; allowed: an object with all of a stand-in's settings",
    ):
        assert part in text
    assert text.endswith("deploy the stack again")


@pytest.mark.parametrize("text", ["0", "3601", "-1", "5s", " ", "1.5"])
def test_settings_refuse_a_ttl_out_of_range(text: str) -> None:
    """From a second to an hour, whole seconds."""
    with pytest.raises(BadSettings, match="TTL_SECONDS: got"):
        Settings.from_environment(GOOD | {"TTL_SECONDS": text})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param('{"a.b": "10.0.0.1"}', id="no list"),
        pytest.param('{"a.b": []}', id="empty list"),
        pytest.param('{"a.b": ["ten"]}', id="no address"),
        pytest.param('{"a b": ["10.0.0.1"]}', id="no name"),
        pytest.param('{"a.b": [1]}', id="no text"),
    ],
)
def test_settings_refuse_pins_that_are_not_names_with_addresses(text: str) -> None:
    """A pin that cannot be written is found before the run."""
    with pytest.raises(BadSettings, match="PINS: "):
        Settings.from_environment(GOOD | {"PINS": text})


@pytest.mark.parametrize("text", ["", "null"])
def test_settings_without_stand_ins_are_settings(text: str) -> None:
    """A deployment that has no task definition for them."""
    assert Settings.from_environment(GOOD | {"STAND_IN": text}).stand_in is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "1",
        "{}",
        *(
            json.dumps({key: value for key, value in STAND_IN_WIRE.items() if key != left_out})
            for left_out in STAND_IN_WIRE
        ),
        json.dumps({**STAND_IN_WIRE, "subnets": 1}),
        json.dumps({**STAND_IN_WIRE, "parking_zone_name": None}),
        json.dumps({**STAND_IN_WIRE, "parking_zone_name": "a b"}),
    ],
)
def test_settings_refuse_a_stand_in_that_could_not_be_started(text: str) -> None:
    """Half of what a task needs is found before the run, not at three in the morning."""
    with pytest.raises(BadSettings, match="STAND_IN: "):
        Settings.from_environment(GOOD | {"STAND_IN": text})


@pytest.mark.parametrize("text", ["-1", "1.5", "x"])
def test_settings_refuse_a_limit_that_is_no_number(text: str) -> None:
    """Whole numbers from nothing on."""
    with pytest.raises(BadSettings, match="MAX_STAND_INS: got"):
        Settings.from_environment(GOOD | {"MAX_STAND_INS": text})


@pytest.mark.parametrize("text", ["", "false", "yes", "True", "1"])
def test_settings_take_over_only_when_told_so_exactly(text: str) -> None:
    """Whatever else stands there takes nothing of anybody's."""
    assert Settings.from_environment(GOOD | {"TAKE_OVER": text}).take_over is False
