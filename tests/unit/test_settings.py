"""The function's environment: checked whole, once."""

import pytest

from resync.errors import BadSettings
from resync.settings import Mode, Settings
from resync.topology import address
from tests.fakes import ONE, ZONE, named

GOOD = {
    "REPLICATION_GROUP_ID": "demo",
    "HOSTED_ZONE_ID": "Z0DEMO",
    "ZONE_NAME": ZONE,
    "ECS_CLUSTER": "nodeway",
}


def test_settings_have_defaults_for_what_is_not_required() -> None:
    """Five seconds, on, no pins."""
    found = Settings.from_environment(GOOD)

    assert (found.ttl_seconds, found.mode, found.pins) == (5, Mode.ON, {})


def test_settings_take_every_variable() -> None:
    """Names and addresses come in normalised."""
    pins = f'{{"{ONE.upper()}.{ZONE}.": ["10.9.0.1", " 10.9.0.2"]}}'
    found = Settings.from_environment(
        GOOD
        | {"ZONE_NAME": f"{ZONE.upper()}.", "TTL_SECONDS": "30", "RESYNC": "observe", "PINS": pins}
    )

    assert found == Settings(
        "demo",
        "Z0DEMO",
        ZONE,
        "nodeway",
        30,
        Mode.OBSERVE,
        {named(ONE): (address("10.9.0.1"), address("10.9.0.2"))},
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
        "{",
        "[]",
        '{"a.b": "10.0.0.1"}',
        '{"a.b": []}',
        '{"a.b": ["ten"]}',
        '{"a b": ["10.0.0.1"]}',
        '{"a.b": [1]}',
    ],
    ids=["no JSON", "no object", "no list", "empty list", "no address", "no name", "no text"],
)
def test_settings_refuse_pins_that_are_not_names_with_addresses(text: str) -> None:
    """A pin that cannot be written is found before the run."""
    with pytest.raises(BadSettings, match="PINS: "):
        Settings.from_environment(GOOD | {"PINS": text})
