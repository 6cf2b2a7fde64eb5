"""`make conformance` with a client of Python, Go and Node.js: each cell is as expected, and nothing stays behind."""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

from lab import layout
from lab.conformance.report import report
from lab.conformance.report.report import Cells
from lab.conformance.suite.behaviours import BEHAVIOURS
from lab.conformance.suite.verdicts import AS_EXPECTED, Cell, Outcome
from tests.support.lab.command import left_behind, own_run_directory

pytestmark = pytest.mark.lab

CLIENTS = ("redis-py", "rueidis", "ioredis")
MODES = ("per-node", "envoy-resp2", "envoy-resp3")
LIMITS_OF_ENVOY = {"pubsub", "blpop", "scan", "replica_read"}


@pytest.fixture(scope="module")
def cells(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cells:
    """One run for all tests of this file, as a person starts it."""
    request.getfixturevalue("walls")
    words = [word for name in CLIENTS for word in ("--client", name)]
    words += [word for name in MODES for word in ("--way", name)]
    with own_run_directory(tmp_path_factory.mktemp("lab") / "run"):
        done = subprocess.run(
            [sys.executable, "-m", "lab.conformance", *words],
            cwd=layout.ROOT,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert not layout.run_dir().exists()
        assert left_behind() == []
    return report.read_cells(json.loads(report.REPORT.read_text()))


def find_row(cells: Cells, mode: str, client: str) -> Mapping[str, Cell]:
    """A row of the matrix; skips, with the reason, when it was not run."""
    found = {key[2]: cell for key, cell in cells.items() if key[:2] == (mode, client)}
    for cell in found.values():
        if cell.outcome is Outcome.NOT_RUN:
            pytest.skip(f"{client}: {cell.detail}")
    return found


@pytest.mark.parametrize("client", CLIENTS)
def test_every_behaviour_passes_by_a_haproxy_per_node(cells: Cells, client: str) -> None:
    found = find_row(cells, "per-node", client)

    assert tuple(found) == tuple(BEHAVIOURS)
    assert {cell.outcome for cell in found.values()} <= {Outcome.PASS, Outcome.PASS_WITH_OPTION}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("mode", MODES[1:])
def test_by_envoy_fails_what_is_known_and_nothing_else(
    cells: Cells, mode: str, client: str
) -> None:
    found = find_row(cells, mode, client)
    failed = {name for name, cell in found.items() if cell.outcome is Outcome.EXPECTED_FAIL}

    assert {cell.outcome for cell in found.values()} <= AS_EXPECTED
    assert failed == LIMITS_OF_ENVOY
    assert {found[name].by for name in failed} == {"Envoy"}
