"""The Go programs of the conformance: in Go's own format, and the bookkeeping of their load tested by itself."""

import shutil
import subprocess

import pytest

from lab.layout import ROOT

DIRECTORIES = ("shared", "rueidis", "go-redis")


@pytest.fixture(scope="module")
def go() -> str:
    """The program; what needs it says that it did not run."""
    found = shutil.which("go")
    if found is None:
        pytest.skip("the Go programs were not looked at: no Go on this machine")
    return found


def test_go_programs_are_formatted(go: str) -> None:
    """As gofmt does it."""
    directories = [str(ROOT / "lab/conformance/clients/go" / one) for one in DIRECTORIES]
    done = subprocess.run(
        [go.removesuffix("go") + "gofmt", "-l", *directories],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == ""


def test_load_of_the_go_programs_counts_right(go: str) -> None:
    """Their own tests; they need no client and no network."""
    done = subprocess.run(
        [go, "test", "./..."],
        cwd=ROOT / "lab/conformance/clients/go/shared",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
