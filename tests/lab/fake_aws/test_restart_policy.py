"""A HAProxy that dies is started again in its task, as ECS's restart policy has it; in minutes of a second."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPException
from typing import Any, cast
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from botocore.exceptions import BotoCoreError

from lab import layout
from lab.cluster import certificates
from lab.containers.container import Container
from lab.containers.health import HealthCheck, watch
from lab.faults import haproxies
from lab.host import network
from lab.host import syscalls as linux
from lab.wait import wait_until
from tests.support.lab.account import (
    CLUSTER,
    answer_of,
    client,
    container_definition,
    describe_task,
    process_of,
    read_log,
    register,
    run_tasks,
    wait_for,
)
from tests.support.lab.room import Room

pytestmark = pytest.mark.lab

HURRIED = (
    "from lab.containers import container; from lab.fake_aws.__main__ import main;"
    " container.SECOND = 1 / 60; main()"
)
"""The fake AWS, in which a restart policy's minute is a second."""
POLICY = {"enabled": True, "restartAttemptPeriod": 60}
PATIENT = POLICY | {"restartAttemptPeriod": 1800}
"""Half a minute here: no test takes that long."""
SILENCE_SECONDS = 3
"""An address that answers nothing for so long is silent; a HAProxy that starts on a busy machine is not."""
SLOW_TO_COME_BACK = (
    'printf %s "$CONFIG" > /tmp/haproxy.cfg; test -e /tmp/again && sleep 1; touch /tmp/again;'
    " echo started; exec haproxy -f /tmp/haproxy.cfg"
)
"""Silent for a second at every start but the first, which it knows by a file of its own."""


def start_hurried() -> bool:
    run_dir = layout.run_dir()
    network.up(run_dir)
    certificates.make(run_dir)
    with (run_dir / "aws.log").open("wb") as log:
        subprocess.Popen(
            [sys.executable, "-c", HURRIED],
            cwd=layout.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    wait_until(has_cluster, timeout_seconds=120, what="the fake AWS")
    return True


def has_cluster() -> bool:
    with suppress(BotoCoreError):
        client("ecs").create_cluster(clusterName=CLUSTER)
        return True
    return False


@pytest.fixture(scope="module")
def account(room: Room) -> Room:
    """A sandbox with the fake AWS in it."""
    room.call(start_hurried)
    return room


def running(family: str, **changes: object) -> tuple[str, str]:
    """A task that answers, and its address."""
    register(family, **changes)
    (arn,) = run_tasks(family)
    address = address_of(wait_for(arn, "lastStatus", "RUNNING"))
    wait_until(lambda: answer(address) == "alive", timeout_seconds=60, what="an answer")
    return arn, address


def address_of(found: dict[str, Any]) -> str:
    details = {one["name"]: one["value"] for one in found["attachments"][0]["details"]}
    return str(details["privateIPv4Address"])


def answer(address: str) -> str:
    """What the task answers, or how it does not."""
    try:
        with urlopen(f"http://{address}:8405/", timeout=SILENCE_SECONDS) as told:
            return str(told.read().decode())
    except URLError as problem:
        return type(problem.reason).__name__
    except (OSError, HTTPException) as problem:
        return type(problem).__name__


def run_long_enough(address: str) -> None:
    wait_until(
        lambda: haproxies.restarts_in_place(layout.run_dir(), address),
        timeout_seconds=60,
        what="the period",
    )


def kill_when_it_may_come_back(address: str) -> None:
    run_long_enough(address)
    haproxies.kill_haproxy(layout.run_dir(), address)


def killed() -> dict[str, Any]:
    arn, address = running(
        "again", command=[SLOW_TO_COME_BACK], restartPolicy=POLICY, readonlyRootFilesystem=False
    )
    before, first = wait_for(arn, "healthStatus", "HEALTHY"), process_of(arn)
    heard: list[str] = []
    kill_when_it_may_come_back(address)

    def back() -> bool:
        heard.append(answer(address))
        return heard[-1] == "alive" and process_of(arn) != first

    wait_until(back, timeout_seconds=60, what="an answer")
    at_once = describe_task(arn)
    after = wait_for(arn, "healthStatus", "HEALTHY")
    return {
        "heard": sorted(set(heard)),
        "states": [one["lastStatus"] for one in (before, at_once, after)],
        "wanted": after["desiredStatus"],
        "addresses": [address_of(before), address_of(after)],
        "container": before["containers"][0]["runtimeId"] == after["containers"][0]["runtimeId"],
        "exit": after["containers"][0].get("exitCode"),
        "starts": read_log(arn).split().count("started"),
        "first": linux.alive(first),
        "tasks": client("ecs").list_tasks(cluster=CLUSTER, family="again")["taskArns"] == [arn],
    }


def test_a_program_that_dies_is_started_again_in_its_task(account: Room) -> None:
    """Same task, same address, same files; while it is down the address refuses, and is never silent."""
    seen = account.call(killed)

    assert seen["states"] == ["RUNNING"] * 3
    assert seen["wanted"] == "RUNNING"
    assert seen["addresses"][0] == seen["addresses"][1]
    assert seen["starts"] == 2
    assert not seen["first"]
    assert "ConnectionRefusedError" in seen["heard"]
    assert set(seen["heard"]) <= {"ConnectionRefusedError", "ConnectionResetError", "alive"}
    assert (seen["container"], seen["exit"], seen["tasks"]) == (True, None, True)


def killed_twice() -> list[str]:
    arn, address = running("twice", restartPolicy=POLICY | {"restartAttemptPeriod": 300})
    first = process_of(arn)
    kill_when_it_may_come_back(address)
    wait_until(lambda: process_of(arn) != first, timeout_seconds=60, what="the second start")
    os.kill(process_of(arn), signal.SIGKILL)
    ended = wait_for(arn, "lastStatus", "STOPPED")
    return [ended["stopCode"], ended["containers"][0]["exitCode"]]


def test_the_period_counts_from_the_last_start(account: Room) -> None:
    """A program that dies right after it was started again stops its task."""
    assert account.call(killed_twice) == ["EssentialContainerExited", 137]


def not_restarted() -> dict[str, Any]:
    early, _ = running("early", restartPolicy=PATIENT)
    os.kill(process_of(early), signal.SIGKILL)
    without, _ = running("without", restartPolicy=POLICY | {"enabled": False})
    os.kill(process_of(without), signal.SIGKILL)
    ignored, address = running("ignored", restartPolicy=POLICY | {"ignoredExitCodes": [137]})
    kill_when_it_may_come_back(address)
    ended = {
        name: wait_for(arn, "lastStatus", "STOPPED")
        for name, arn in (("early", early), ("without", without), ("ignored", ignored))
    }
    return {n: [t["stopCode"], t["containers"][0]["exitCode"]] for n, t in ended.items()}


def test_a_program_that_may_not_be_started_again_stops_its_task(account: Room) -> None:
    """One that died before its period, one without a policy, and one whose exit code is ignored."""
    seen = account.call(not_restarted)

    died = ["EssentialContainerExited", 137]
    assert seen == {"early": died, "without": died, "ignored": died}


def stopped() -> list[Any]:
    command = ["echo started; trap '' USR1; sleep 60; exit 0"]
    register("stopped", restartPolicy=POLICY, healthCheck=container_definition()["healthCheck"])
    register("deaf-again", restartPolicy=POLICY, command=command, stopTimeout=2)
    arns = [*run_tasks("stopped"), *run_tasks("deaf-again")]
    for arn in arns:
        run_long_enough(address_of(wait_for(arn, "lastStatus", "RUNNING")))
    for arn in arns:
        client("ecs").stop_task(cluster=CLUSTER, task=arn)
    ended = [wait_for(arn, "lastStatus", "STOPPED") for arn in arns]
    left = [
        one for one in (layout.run_dir() / "containers").iterdir() if one.name[:32] in str(arns)
    ]
    return [
        [t["stopCode"] for t in ended],
        [t["containers"][0]["exitCode"] for t in ended],
        read_log(arns[1]).count("started"),
        len(left),
    ]


def test_a_stopped_task_is_not_started_again(account: Room) -> None:
    """Neither one that obeys its stop signal nor one that has to be killed for it."""
    assert account.call(stopped) == [["UserInitiated"] * 2, [0, 137], 1, 0]


def lost() -> dict[str, Any]:
    arn, address = running("lost", restartPolicy=POLICY)
    run_long_enough(address)
    haproxies.lose_task(layout.run_dir(), address)
    ended = wait_for(arn, "lastStatus", "STOPPED")
    wait_until(
        lambda: answer(address) != "ConnectionRefusedError", timeout_seconds=30, what="silence"
    )
    return {"code": ended["stopCode"], "heard": answer(address)}


def test_a_lost_task_is_gone_with_its_network(account: Room) -> None:
    """Nothing starts it again, and nobody refuses in its place."""
    seen = account.call(lost)

    assert seen["code"] == "EssentialContainerExited"
    assert seen["heard"] in {"TimeoutError", "OSError"}


def refused_policies() -> dict[str, str]:
    definition = {"family": "refused", "networkMode": "awsvpc"}
    return {
        str(period): answer_of(
            client("ecs").register_task_definition,
            containerDefinitions=[
                container_definition(
                    restartPolicy={"enabled": True, "restartAttemptPeriod": period}
                )
            ],
            **definition,
        )
        for period in (59, 60, 1800, 1801)
    }


def test_a_period_that_ecs_does_not_take_is_refused(account: Room) -> None:
    seen = account.call(refused_policies)

    assert [seen[one] for one in ("60", "1800")] == ["accepted"] * 2
    assert all(seen[one].startswith("ClientException") for one in ("59", "1801"))


class Scripted:
    """A container that is started again before its second check, and ends after its third."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.exited = self
        self._waits = 0

    def wait(self, _pause: float) -> bool:
        """Time passes; whether it has ended."""
        self._waits += 1
        if self._waits == 2:
            self.began += 1
        return self._waits > 3

    def is_set(self) -> bool:
        """Whether it has ended."""
        return self._waits > 3

    def run_inside(self, _argv: tuple[str, ...], _timeout: float) -> bool:
        """Every check is good."""
        return True


def test_health_begins_anew_with_the_program() -> None:
    told: list[str] = []
    check = HealthCheck(("true",), interval=5, timeout=2, retries=3, start_period=5)

    watch(cast("Container", Scripted()), check, told.append)

    assert told == ["HEALTHY", "UNKNOWN", "HEALTHY"]
