"""The function's environment: checked whole, once."""

import json

import pytest

from nodeway_runtime.model.errors import BadSettings
from nodeway_runtime.model.settings import Mode, Settings
from nodeway_runtime.model.topology import address, record_name
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
    assert found.fleet_name is None


def test_settings_take_every_variable() -> None:
    """Names and addresses come in normalised."""
    pins = f'{{"{ONE.upper()}.{ZONE}.": ["10.9.0.1", " 10.9.0.2"]}}'
    found = Settings.from_environment(
        GOOD
        | {"ZONE_NAME": f"{ZONE.upper()}.", "TTL_SECONDS": "30", "RESYNC": "observe", "PINS": pins}
        | {"OWNER": OWNER, "APPROVE": "0123456789ab", "TAKE_OVER": "true"}
        | {"PROXY_VPC_ID": "vpc-0000000a", "MAX_STAND_INS": "0", "STAND_IN": STAND_IN_TEXT}
        | {"FLEET_NAME": f"*.{ZONE}"}
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
        fleet_name=record_name(f"*.{ZONE}"),
    )


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


@pytest.mark.parametrize("text", ["", "null"])
def test_settings_without_stand_ins_are_settings(text: str) -> None:
    """A deployment that has no task definition for them."""
    assert Settings.from_environment(GOOD | {"STAND_IN": text}).stand_in is None


@pytest.mark.parametrize("text", ["", "false", "yes", "True", "1"])
def test_settings_take_over_only_when_told_so_exactly(text: str) -> None:
    """Whatever else stands there takes nothing of anybody's."""
    assert Settings.from_environment(GOOD | {"TAKE_OVER": text}).take_over is False


WRONG = {
    "TTL_SECONDS": ["0", "3601", "-1", "5s", " ", "1.5"],
    "MAX_STAND_INS": ["-1", "1.5", "x"],
    "PINS": [
        *("{", "[]", '{"a.b": "10.0.0.1"}', '{"a.b": []}', '{"a.b": ["ten"]}'),
        *('{"a b": ["10.0.0.1"]}', '{"a.b": [1]}'),
    ],
    "STAND_IN": [
        *("{", "[]", "1", "{}"),
        *(
            json.dumps({key: value for key, value in STAND_IN_WIRE.items() if key != left_out})
            for left_out in STAND_IN_WIRE
        ),
        json.dumps({**STAND_IN_WIRE, "subnets": 1}),
        json.dumps({**STAND_IN_WIRE, "parking_zone_name": None}),
        json.dumps({**STAND_IN_WIRE, "parking_zone_name": "a b"}),
    ],
}


@pytest.mark.parametrize(
    ("variable", "text"), [(name, text) for name, texts in WRONG.items() for text in texts]
)
def test_settings_refuse_what_could_not_be_done(variable: str, text: str) -> None:
    """A second to an hour, whole numbers, names with addresses, all that a task needs: found before the run."""
    with pytest.raises(BadSettings, match=f"{variable}: "):
        Settings.from_environment(GOOD | {variable: text})
