"""What every layer of tests shares: options, and a world without anybody's AWS account."""

import io
import logging
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from nodeway_runtime.functions.resync_journal import LogJournal

# those of nohup, or of a shell's background job: programs that a test interrupts would inherit that they are ignored
for number, handler in (
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGINT, signal.default_int_handler),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

# reproducible everywhere: the same examples each time, and no clock on a shared machine
settings.register_profile("nodeway", derandomize=True, deadline=None, database=None)
# `make soak`: other examples in each run, and more of them
settings.register_profile("fresh", deadline=None, database=None, max_examples=500)
settings.load_profile("nodeway")

pytest_plugins = ["tests.support.deadline", "tests.support.scheduler"]

AWS_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --update-golden."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what is rendered as the new golden files",
    )


@pytest.fixture
def fake_aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No profile, no role, no metadata service: credentials that open nothing."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in AWS_VARIABLES.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


class StandardOutput(io.TextIOBase):
    """Whatever standard output is at the moment: pytest has another one for each phase of each test."""

    def write(self, text: str) -> int:
        """Writes to it."""
        return sys.stdout.write(text)


@pytest.fixture
def log_to_stdout() -> None:
    """Lets a test capture what the function logs, also when another test logged before."""
    LogJournal(cluster="", request_id="", trigger="")
    for handler in logging.getLogger("resync").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.stream = StandardOutput()


@pytest.fixture
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
