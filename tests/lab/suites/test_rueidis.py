"""rueidis, the client that the project began with: its own behaviours in each mode, and settings that do not work."""

import json

import pytest

from lab.conformance.run import programs
from lab.conformance.suite.manifest import select_clients
from lab.deployment.modes import AccessMode
from tests.support.lab.command import nodeway

MODES = (AccessMode.PER_NODE, AccessMode.ENVOY_RESP2, AccessMode.ENVOY_RESP3)
DETAILS = {
    AccessMode.PER_NODE: {"force_single_client": "MOVED "},
    AccessMode.ENVOY_RESP2: {"without_force_single_client": "it dialled demo-000"},
    AccessMode.ENVOY_RESP3: {"without_force_single_client": "it dialled demo-000"},
}
"""What the wrong settings must show: a redirect that surfaces, and a topology that leads around Envoy."""

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls", "up")]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command line of the built program, with its keys."""
    (client,) = select_clients(["rueidis"])
    if reason := programs.build(client, print):
        pytest.skip(f"rueidis was not run: {reason}")
    slot_keys = programs.write_slot_keys(tmp_path_factory.mktemp("keys"))
    return ["env", f"LAB_SLOT_KEYS={slot_keys}", *client.command(client.run)]


def run(mode: AccessMode, program: list[str], action: str) -> dict[str, tuple[str, str]]:
    """Behaviour to its outcome and its detail."""
    done = nodeway("lab", "run", "--way", mode.value, "--", *program, action, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["behaviour"]: (one["outcome"], one["detail"]) for one in lines}


@pytest.mark.parametrize("mode", MODES)
def test_rueidis_does_what_its_users_want(mode: AccessMode, program: list[str]) -> None:
    """Per node its defaults, replicas, caching, pub/sub, pipelines and ConnLifetime; by Envoy what Envoy can."""
    results = run(mode, program, "extras")

    assert results
    assert {name: one for name, one in results.items() if one[0] != "pass"} == {}


@pytest.mark.parametrize("mode", MODES)
def test_wrong_settings_fail_as_is_known(mode: AccessMode, program: list[str]) -> None:
    """A detected topology leads around the proxy."""
    results = run(mode, program, "wrong-settings")

    assert {name: one for name, one in results.items() if one[0] != "pass"} == {}
    for name, words in DETAILS[mode].items():
        assert words in results[name][1]
