"""A program never outlives the block that started it."""

import subprocess

import pytest

from lab.host import programs, syscalls
from lab.wait import wait_until

STUBBORN = "trap '' TERM; echo ready; sleep 300 & echo $!; wait"


def test_failed_block_ends_a_program_that_ignores_sigterm_and_its_children() -> None:
    seen: list[int] = []

    def fail() -> None:
        with programs.running(
            ["sh", "-c", STUBBORN],
            grace_seconds=0.1,
            stdout=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            seen.extend((process.pid, int(process.stdout.readline())))
            raise AssertionError("the test's own")

    with pytest.raises(AssertionError, match="the test's own"):
        fail()

    wait_until(
        lambda: not any(map(syscalls.alive, seen)), timeout_seconds=5, what="the end of both"
    )


def test_program_that_has_ended_keeps_its_exit_code() -> None:
    with programs.running(["sh", "-c", "exit 7"]) as process:
        assert process.wait(10) == 7
