"""`nodeway plan`, `apply` and `explain` beside the lab's fake AWS: what is deployed is found as on a laptop."""

import json
import subprocess
from typing import Any

import pytest

from tests.support.lab.command import nodeway

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls", "up")]

NODE = "demo-0001-001"
LOSE_MARKER = f"""
from lab import layout
from lab.deployment.product import Product, client
zone, name = Product().outputs["HostedZoneId"], "_nodeway.{NODE}." + layout.ZONE + "."
sets = client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
gone = next(one for one in sets if one["Name"] == name)
client("route53").change_resource_record_sets(
    HostedZoneId=zone,
    ChangeBatch={{"Changes": [{{"Action": "DELETE", "ResourceRecordSet": gone}}]}},
)
"""


def operator(*words: str) -> subprocess.CompletedProcess[str]:
    """A command of an operator, beside the fake AWS."""
    return nodeway("lab", "aws", "--", "nodeway", *words)


def machine(*words: str) -> Any:  # noqa: ANN401 (any JSON)
    """What a command tells a machine."""
    done = operator(*words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_plan_finds_nothing_to_do_after_a_deploy() -> None:
    """The function's settings are found through the stack's output, with the caller's own keys."""
    done = operator("plan", "--env", "lab", "--exit-code")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "demo in lab: resync=on, ttl=5 s, pins: none",
        "nothing to do: 6 nodes, every record is right",
    ]


def test_explain_names_the_task_behind_a_node() -> None:
    """A task of the node's own service, healthy, and ours by its marker."""
    found = machine("explain", NODE, "--env", "lab")

    assert [(one["kind"], one["task"]["health"]) for one in found["answers"]] == [
        ("own", "healthy")
    ]
    assert found["answers"][0]["task"]["node"].startswith(f"{NODE}.demo.")
    assert (found["owner"], found["ours"]) == ("nodeway/lab/demo", True)


def test_name_that_lost_its_marker_is_taken_over_as_reviewed() -> None:
    """Foreign for the function from then on; a person plans with --take-over, reads, and applies exactly that."""
    lost = nodeway("lab", "aws", "--", "python3", "-c", LOSE_MARKER)
    assert lost.returncode == 0, lost.stderr

    refused = machine("plan", "--env", "lab")["clusters"][0]
    reviewed = machine("plan", "--env", "lab", "--take-over")["clusters"][0]
    words = ("apply", "--env", "lab", "--take-over", "--checksum")
    stale = operator(*words, "000000000000")
    done = operator(*words, reviewed["checksum"])

    assert {one["rule"] for one in refused["refused"]} == {"foreign_record_stays"}
    assert [one["record"].partition(".")[0] for one in reviewed["changes"]] == ["_nodeway"]
    assert stale.returncode == 1
    assert "no current plan has the checksum 000000000000" in stale.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert "applied: record changes 1 " in done.stdout
    assert machine("plan", "--env", "lab")["clusters"][0]["changes"] == []


def test_environment_that_is_not_deployed_here_is_one_line() -> None:
    """The keys are the lab's, and `dev` is somewhere else."""
    done = operator("plan", "--env", "dev")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("nodeway: these credentials are for account 123456789012")
    assert done.stderr.count("\n") == 1
