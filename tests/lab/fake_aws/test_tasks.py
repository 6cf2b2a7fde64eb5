"""ECS tasks of the fake AWS are processes: started as their definition says, ended as ECS ends them."""

import os
import signal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from lab import layout
from lab.deployment import cdk as aws
from lab.errors import LabError
from lab.host import syscalls as linux
from lab.wait import wait_until
from tests.support.lab.account import (
    CLUSTER,
    SUBNETS,
    client,
    container_definition,
    describe_task,
    process_of,
    read_log,
    register,
    run_tasks,
    start_account,
    wait_for,
)
from tests.support.lab.room import Room, open_room

pytestmark = pytest.mark.lab


def healthy_task() -> dict[str, Any]:
    register("healthy")
    arns = run_tasks("healthy", count=3, tags=[{"key": "node", "value": "demo-0001-001"}])
    tasks = [wait_for(arn, "healthStatus", "HEALTHY") for arn in arns]
    details = [{d["name"]: d["value"] for d in t["attachments"][0]["details"]} for t in tasks]
    answers = [urlopen(f"http://{d['privateIPv4Address']}:8405/").read().decode() for d in details]
    for arn in arns:
        client("ecs").stop_task(cluster=CLUSTER, task=arn)
    return {
        "zones": sorted(t["availabilityZone"] for t in tasks),
        "subnets": sorted(d["subnetId"] for d in details),
        "tags": tasks[0]["tags"],
        "answers": answers,
    }


def test_a_task_is_a_process_that_answers_at_its_own_address(account: Room) -> None:
    seen = account.call(healthy_task)

    assert seen["answers"] == ["alive"] * 3
    assert seen["zones"] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert seen["subnets"] == SUBNETS
    assert seen["tags"] == [{"key": "node", "value": "demo-0001-001"}]


def inside_of_a_container() -> str:
    register(
        "inside",
        command=[
            "env; ulimit -Sn; ulimit -Hn; grep CapEff /proc/self/status; touch /usr/x; echo x > /tmp/x"
        ],
        environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        readonlyRootFilesystem=True,
        linuxParameters={"capabilities": {"drop": ["ALL"]}},
        ulimits=[{"name": "nofile", "softLimit": 300, "hardLimit": 400}],
    )
    overrides = {
        "containerOverrides": [{"name": "haproxy", "environment": [{"name": "B", "value": "3"}]}]
    }
    (arn,) = run_tasks("inside", overrides=overrides)
    wait_for(arn, "lastStatus", "STOPPED")
    return read_log(arn)


def test_a_container_has_its_definition_and_nothing_of_the_machine(account: Room) -> None:
    lines = account.call(inside_of_a_container).splitlines()

    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    assert variables.keys() - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "A", "B"}
    assert (variables["A"], variables["B"]) == ("1", "3")
    assert "300" in lines
    assert "400" in lines
    assert "CapEff:\t0000000000000000" in lines
    assert sum("Read-only file system" in line for line in lines) == 2


def ends() -> dict[str, Any]:
    register(
        "deaf",
        command=["trap '' USR1; exec sleep 60"],
        healthCheck=container_definition()["healthCheck"],
    )
    (killed,) = run_tasks("healthy")
    (stopped,) = run_tasks("healthy")
    (deaf,) = run_tasks("deaf")
    for arn in (killed, stopped, deaf):
        wait_for(arn, "lastStatus", "RUNNING")
    wait_until(lambda: "SigIgn" in status(deaf), timeout_seconds=30, what="the program")
    os.kill(process_of(killed), signal.SIGKILL)
    for arn in (stopped, deaf):
        client("ecs").stop_task(cluster=CLUSTER, task=arn)
    at_once = describe_task(deaf)
    wait_for(deaf, "lastStatus", "STOPPED")
    return {
        "at once": [at_once["desiredStatus"], at_once["lastStatus"]],
        "exits": [
            wait_for(a, "lastStatus", "STOPPED")["containers"][0]["exitCode"]
            for a in (killed, stopped, deaf)
        ],
        "reasons": [describe_task(a)["stopCode"] for a in (killed, stopped, deaf)],
    }


def status(arn: str) -> str:
    return Path(f"/proc/{process_of(arn)}/status").read_text()


def test_a_task_ends_as_its_process_does(account: Room) -> None:
    seen = account.call(ends)

    assert seen["at once"] == ["STOPPED", "STOPPING"]
    assert seen["exits"] == [137, 0, 137]
    assert seen["reasons"] == ["EssentialContainerExited", "UserInitiated", "UserInitiated"]


def failed_starts() -> list[str]:
    register("no-image", image="haproxy:latest")
    register("no-program", entryPoint=["/nonexistent"], command=[])
    arns = [*run_tasks("no-image"), *run_tasks("no-program")]
    return [wait_for(arn, "lastStatus", "STOPPED")["stoppedReason"] for arn in arns]


def test_what_cannot_start_says_why(account: Room) -> None:
    image, program = account.call(failed_starts)

    assert image.startswith("CannotPullContainerError")
    assert program.startswith("CannotStartContainerError")


def death() -> list[bool]:
    register("mortal")
    (arn,) = run_tasks("mortal")
    wait_for(arn, "lastStatus", "RUNNING")
    pid = process_of(arn)
    before = linux.alive(pid)
    os.kill(int((layout.run_dir() / "aws.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: not linux.alive(pid), timeout_seconds=30, what="the container's end")
    return [before, linux.alive(pid)]


@pytest.mark.usefixtures("walls")
def test_containers_end_with_the_fake_aws(tmp_path: Path) -> None:
    with open_room(tmp_path / "run") as own:
        own.call(start_account)

        assert own.call(death) == [True, False]


def test_a_fake_aws_that_cannot_start_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(aws, "START_SECONDS", 5)
    (tmp_path / "aws").write_text("in the way of a directory")

    with pytest.raises(LabError, match="the fake AWS ended with exit code 1"):
        aws.start(tmp_path)
