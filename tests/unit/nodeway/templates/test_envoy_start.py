"""Envoy's start script with a real Envoy and a real Valkey on loopback: its log lines, and its end."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.retry import Retry

from lab.cluster.node import find_server
from lab.host import programs
from lab.host.syscalls import command_lines
from lab.wait import wait_until
from nodeway.constructs.proxies.envoy import HEALTH_CHECK
from nodeway.constructs.proxies.envoy_metrics import METRICS
from nodeway.envoy.render import START_SCRIPT, EnvoySpec, render
from tests.support.programs.envoys import ENVOY
from tests.support.programs.haproxies import free_ports

NODE = "127.0.0.2"
PASSWORD = "first-of-the-clients"
GRACE_SECONDS = 2
DRAIN_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Running:
    """A started script: its process, its output, and the ports of its listeners and of its health check."""

    process: subprocess.Popen[str]
    output: Path
    resp2: int
    admin: int

    def lines(self) -> list[dict[str, Any]]:
        """The lines that metric filters read."""
        lines = self.output.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def total(self, field: str) -> int:
        """The sum of a counter over all lines."""
        return sum(line[field] for line in self.lines())

    def client(self, *, protocol: int = 2) -> redis.Redis:
        """A client without cluster mode and retries, of the listener for its protocol."""
        return redis.Redis(
            host="127.0.0.1",
            port=self.resp2 + protocol - 2,
            password=PASSWORD,
            protocol=protocol,
            single_connection_client=False,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=5,
        )


@pytest.fixture(scope="module")
def ports() -> tuple[int, int, int]:
    """Free ports: of the node and the RESP2 listener, of the RESP3 listener, and of the admin interface."""
    for _ in range(50):
        port, admin = free_ports(2)
        # the node has a port of its cluster bus too, which is higher by 10,000
        if 10_000 < port < 50_000:
            with suppress(OSError), socket.create_server(("127.0.0.1", port + 1)):
                return port, port + 1, admin
    pytest.fail("no two consecutive free ports")


def reply(client: redis.Redis, *words: str) -> Any:  # noqa: ANN401 (any reply)
    """What the node says, as long as it says something."""
    try:
        return client.execute_command(*words)  # type: ignore[no-untyped-call]
    except redis.RedisError:
        return b""


@pytest.fixture(scope="module")
def node(ports: tuple[int, int, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cluster of one node."""
    directory = tmp_path_factory.mktemp("node")
    server = find_server().path
    words = ["--port", str(ports[0]), "--bind", NODE, "--cluster-enabled", "yes", "--save", ""]
    words += ["--cluster-announce-ip", NODE, "--cluster-port", str(ports[0] + 10_000)]
    client = redis.Redis(NODE, ports[0])

    with programs.running([server, *words], cwd=directory, stdout=subprocess.DEVNULL):
        wait_until(lambda: reply(client, "PING"), timeout_seconds=10, what="the node to answer")
        reply(client, "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        reply(client, "CONFIG", "SET", "cluster-require-full-coverage", "no")
        wait_until(
            lambda: b"cluster_state:ok" in reply(client, "CLUSTER", "INFO"),
            timeout_seconds=10,
            what="the cluster of one",
        )
        yield


@pytest.fixture
def running(ports: tuple[int, int, int], node: None, tmp_path: Path) -> Iterator[Running]:
    """The script as a task runs it, with short times."""
    del node
    resp2, _, admin = ports
    spec = EnvoySpec(NODE, resp2, 256, ("DOWNSTREAM_PASSWORD_1",), upstream_tls=False)
    text = render(spec).replace("0.0.0.0", "127.0.0.1").replace("9901", str(admin))
    variables = {
        "PATH": f"{Path(ENVOY).parent}:{os.environ['PATH']}",
        "DOWNSTREAM_PASSWORD_1": PASSWORD,
        "ENVOY_CONFIG": text,
        "ADMIN_PORT": str(admin),
        "CLUSTER": "demo-envoy",
        "WORKERS": "1",
        "REPORT_SECONDS": "0.5",
        "GRACE_SECONDS": str(GRACE_SECONDS),
        "DRAIN_SECONDS": str(DRAIN_SECONDS),
    }
    output = tmp_path / "output"
    with (
        output.open("wb") as out,
        programs.running(
            ["bash", "-c", START_SCRIPT],
            grace_seconds=0,
            env=variables,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        started = Running(process, output, resp2, admin)
        wait_until(lambda: healthy(started), timeout_seconds=20, what="Envoy to be healthy")
        yield started


def healthy(started: Running) -> bool:
    """Runs the container's health check."""
    command = cast("list[str]", HEALTH_CHECK["command"])
    argv = [word.replace("9901", str(started.admin)) for word in command[1:]]
    return subprocess.run(argv, stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_lines_have_a_field_for_each_metric(running: Running) -> None:
    """A counter is the difference to the line before."""
    with running.client() as two, running.client(protocol=3) as three:
        for number in range(20):
            two.set(f"two:{number}", "x")
            three.set(f"three:{number}", "x")
        with pytest.raises(redis.ResponseError):
            two.execute_command("SUBSCRIBE", "nobody")
    wait_until(
        lambda: running.total("requests") >= 40 and running.total("unsupported_commands") >= 1,
        timeout_seconds=10,
        what="the counters",
    )
    count = len(running.lines())
    wait_until(lambda: len(running.lines()) > count, timeout_seconds=10, what="another line")

    for line in running.lines():
        assert line["message"] == "envoy"
        assert line["cluster"] == "demo-envoy"
        assert set(METRICS.values()) <= line.keys()
    assert 40 <= running.total("requests") < 60
    assert running.lines()[-1]["requests"] == 0
    assert running.lines()[-1]["nodes"] == 1


def test_client_of_the_other_protocol_is_counted(running: Running) -> None:
    """A RESP2 client of the RESP3 listener is refused."""
    wrong = redis.Redis(
        host="127.0.0.1", port=running.resp2 + 1, password=PASSWORD, protocol=2, socket_timeout=5
    )

    with wrong, pytest.raises(redis.RedisError):
        wrong.get("x")

    wait_until(lambda: running.total("wrong_protocol") >= 1, timeout_seconds=10, what="the refusal")


def test_stopped_envoy_drains_its_clients(running: Running) -> None:
    """It accepts clients for the grace period, then closes each connection after an answer, then exits."""
    early, late = running.client(), running.client()
    early.set("k", "1")
    running.process.send_signal(signal.SIGTERM)
    late.set("k", "2")

    answered = 0

    def closed() -> bool:
        nonlocal answered
        try:
            early.set("k", "3")
        except NotConnected:
            return True
        answered += 1
        return False

    # a closed connection is noticed when it is used again
    wait_until(closed, timeout_seconds=GRACE_SECONDS + DRAIN_SECONDS + 10, what="the drain")

    assert answered > 0
    assert running.process.wait(timeout=DRAIN_SECONDS + 10) == 0


def test_password_is_not_in_the_process_list_or_the_output(running: Running) -> None:
    with running.client() as client:
        client.set("k", "1")
    wait_until(running.lines, timeout_seconds=10, what="a line")

    processes = "\n".join(command_lines().values())
    assert "--config-yaml" in processes
    assert PASSWORD not in processes
    assert PASSWORD not in running.output.read_text()


def test_killed_envoy_ends_its_container(running: Running) -> None:
    (envoy,) = [
        pid
        for pid, line in command_lines().items()
        if line.startswith("envoy ") and os.getpgid(pid) == running.process.pid
    ]
    os.kill(envoy, signal.SIGKILL)

    assert running.process.wait(timeout=10) == 128 + signal.SIGKILL
