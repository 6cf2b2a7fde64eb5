"""The command `nodeway` for tests that need neither AWS nor a lab."""

from pathlib import Path

import pytest

from tests.support.terminal import Terminal, write_project


@pytest.fixture
def nodeway(
    capsys: pytest.CaptureFixture[str],
    empty_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Terminal:
    """The command, in a project of its own with one cluster."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    write_project(empty_directory)
    return Terminal(capsys)
