"""A test that hangs ends, with its programs, in good order."""

import os
import subprocess
import sys
from pathlib import Path

from lab.host import syscalls
from lab.layout import ROOT
from lab.wait import wait_until

HANGS = """
import os, subprocess, sys, pathlib
import pytest

@pytest.fixture
def tidy():
    yield
    pathlib.Path("tidied").touch()

@pytest.mark.timeout(1)
def test_hangs(tidy):
    environment = {**os.environ, "LAB_RUN_DIR": os.path.abspath("run")}
    words = ["sh", "-c", "trap '' TERM; sleep 300 & echo $! > child; wait"]
    with subprocess.Popen(words, env=environment):
        subprocess.run(["sleep", "300"])

def test_after_it():
    assert pathlib.Path("tidied").exists()
"""


def test_hanging_test_ends_with_its_programs_and_shows_the_log(tmp_path: Path) -> None:
    """`with Popen` waits for its program, which must be gone; fixtures are torn down, and other tests run."""
    (tmp_path / "run" / "logs").mkdir(parents=True)
    (tmp_path / "run" / "logs" / "aws.log").write_text("the last words of the fake AWS\n")
    (tmp_path / "test_it.py").write_text(HANGS)
    words = ["-p", "tests.support.deadline", "-p", "no:randomly", "-p", "no:cacheprovider"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "test_it.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    child = int((tmp_path / "child").read_text())

    assert "no end within 1 s; killed 3 programs of the test" in done.stdout
    assert "the last words of the fake AWS" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
    wait_until(lambda: not syscalls.alive(child), timeout_seconds=5, what="the child's end")
