"""rueidis, the client that the project began with: its own program in each way, and the settings that do not work."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.deployment.modes import Way
from lab.layout import ROOT
from tests.support.lab.command import nodeway, own_run_directory

SOURCE = ROOT / "lab/conformance/clients/go/rueidis"
WAYS = (Way.PER_NODE, Way.ENVOY_RESP2, Way.ENVOY_RESP3)
SHOWN = {
    Way.PER_NODE: {"force_single_client": "MOVED "},
    Way.ENVOY_RESP2: {"without_force_single_client": "it dialled demo-000"},
    Way.ENVOY_RESP3: {"without_force_single_client": "it dialled demo-000"},
}
"""What the wrong settings must show: a redirect that surfaces, and a topology that leads around Envoy."""

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls", "up")]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built program."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("rueidis did not run: no Go on this machine")
    built = tmp_path_factory.mktemp("rueidis") / "rueidis"
    done = subprocess.run(
        [go, "build", "-o", built, "."], cwd=SOURCE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return built


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, program: Path) -> Iterator[None]:
    """One lab for all tests of this module."""
    del program
    with own_run_directory(tmp_path_factory.mktemp("lab") / "run"):
        started = nodeway("lab", "up")
        assert started.returncode == 0, started.stderr
        yield
        assert nodeway("lab", "down").returncode == 0


@pytest.fixture(scope="module")
def slot_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hash tag for each slot."""
    from nodeway.client.slots import tags  # noqa: PLC0415 (counted once, and only here)

    path = tmp_path_factory.mktemp("keys") / "slots.txt"
    path.write_text("".join(f"{tag}\n" for tag in tags()))
    return path


def told(way: Way, program: Path, slot_keys: Path, mode: str) -> dict[str, tuple[str, str]]:
    """Behaviour to its outcome and its detail."""
    words = ["env", f"LAB_SLOT_KEYS={slot_keys}", str(program), mode]
    done = nodeway("lab", "run", "--way", way.value, "--", *words, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["behaviour"]: (one["outcome"], one["detail"]) for one in lines}


@pytest.mark.parametrize("way", WAYS)
def test_rueidis_does_what_its_users_want(way: Way, program: Path, slot_keys: Path) -> None:
    """Per node its defaults, replicas, caching, pub/sub, pipelines and ConnLifetime; by Envoy what Envoy can."""
    seen = told(way, program, slot_keys, "extras")

    assert seen
    assert {name: one for name, one in seen.items() if one[0] != "pass"} == {}


@pytest.mark.parametrize("way", WAYS)
def test_wrong_settings_fail_as_is_known(way: Way, program: Path, slot_keys: Path) -> None:
    """As the document that the project began with tells it: a detected topology leads around the proxy."""
    seen = told(way, program, slot_keys, "wrong-settings")

    assert {name: one for name, one in seen.items() if one[0] != "pass"} == {}
    for name, words in SHOWN[way].items():
        assert words in seen[name][1]
