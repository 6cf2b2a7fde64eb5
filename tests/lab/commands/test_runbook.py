"""The runbook's own commands work as they are printed there: beside AWS, and on a host in the client's network.

What the AWS CLI would do is held by tests/unit/docs/test_runbook.py: the CLI is no part of the lab.
"""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from lab.layout import CONFIGURATION_ENDPOINT, ROOT, ZONE
from tests.support.lab.command import NODEWAY

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls", "up")]

TEXT = (ROOT / "docs" / "runbook.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = sorted(
    {line for one in BLOCKS for line in one.splitlines() if line.startswith("nodeway ")}
)
BESIDE_AWS = [one for one in COMMANDS if not one.startswith("nodeway doctor")]
BY_ENV, BY_ENDPOINT = (
    [one for one in COMMANDS if one.startswith(f"nodeway doctor --{how}")]
    for how in ("env", "endpoint")
)
VARIABLES = {
    "ENV": "lab",
    "CLUSTER": "demo",
    "NODE": "demo-0001-001",
    "HOST": CONFIGURATION_ENDPOINT,
}


def run_as_typed(where: str, command: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """The command as a person types it in a shell that has the page's variables."""
    own = {"PATH": f"{Path(NODEWAY).parent}:$PATH", **VARIABLES}
    exports = "".join(f'export {name}="{value}"\n' for name, value in own.items())
    return subprocess.run(
        [NODEWAY, "lab", where, "--", "sh", "-c", exports + command],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def with_client_login(command: str) -> str:
    """With the login and the authority that the client of a lab is told."""
    told = {"NODEWAY_PASSWORD": "$LAB_PASSWORD", "SSL_CERT_FILE": "$LAB_CA_FILE"}
    return " ".join([*(f'{name}="{value}"' for name, value in told.items()), command])


@pytest.mark.parametrize("command", BESIDE_AWS)
def test_command_works_beside_aws(command: str, tmp_path: Path) -> None:
    done = run_as_typed("aws", command, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert ZONE in done.stdout or "demo in lab" in done.stdout


@pytest.mark.parametrize("command", BY_ENDPOINT)
def test_doctor_works_on_a_host_in_the_client_s_network(command: str, tmp_path: Path) -> None:
    """And writes the file that its option names."""
    done = run_as_typed("run", with_client_login(command), tmp_path)
    words = shlex.split(command)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 of 7 names" in done.stdout
    assert (tmp_path / words[words.index("--html") + 1]).read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("command", BY_ENV)
def test_doctor_works_where_aws_is_reached(command: str, tmp_path: Path) -> None:
    """In the lab that is where the zone is not seen: it says so of every name."""
    done = run_as_typed("aws", f"NODEWAY_PASSWORD=none {command}", tmp_path)

    assert done.returncode == 4, done.stdout + done.stderr
    assert "zone_not_seen" in done.stdout


def test_there_are_commands_of_each_kind() -> None:
    """Else nothing was tried."""
    assert len(BESIDE_AWS) >= 3
    assert (len(BY_ENDPOINT), len(BY_ENV)) == (1, 1)
