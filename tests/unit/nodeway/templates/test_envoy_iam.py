"""Envoy's IAM login to a node, on loopback with TLS. The node is a fake, as no Valkey can verify such a token."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import redis

from lab.host import programs
from lab.wait import wait_until
from nodeway.envoy.render import EnvoySpec, Iam, render
from tests.support.programs.envoys import ENVOY, Certificates, certificates

LISTENER = "127.0.0.3"


class Node:
    """Answers +OK to every request, and records its words."""

    def __init__(self, files: Certificates, directory: Path) -> None:
        pem = directory / "node.pem"
        pem.write_text(files.key + files.chain)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(str(pem))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.requests: list[list[str]] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        """The port of the listener."""
        return int(self.listener.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(raw,), daemon=True).start()

    def _answer(self, raw: socket.socket) -> None:
        with (
            raw,
            self.context.wrap_socket(raw, server_side=True) as tls,
            tls.makefile("rb") as sent,
        ):
            while header := sent.readline():
                words = []
                for _ in range(int(header[1:])):
                    length = int(sent.readline()[1:])
                    words.append(sent.read(length + 2)[:-2].decode())
                self.requests.append(words)
                tls.sendall(b"+OK\r\n")


@contextmanager
def envoy(text: str, variables: dict[str, str], output: Path) -> Iterator[None]:
    """Runs Envoy for the time of the block."""
    command = [ENVOY, "--config-yaml", text, "--disable-hot-restart", "--concurrency", "1"]
    with (
        output.open("wb") as out,
        programs.running(command, grace_seconds=0, env=variables, stdout=out, stderr=out),
    ):
        yield


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node with a certificate for localhost."""
    started = Node(certificates(tmp_path, "localhost"), tmp_path)
    with closing(started.listener):
        yield started


def test_envoy_logs_in_with_a_token_of_its_role(node: Node, tmp_path: Path) -> None:
    """AUTH has the user and a signed request for the group, which is valid for 15 minutes."""
    spec = EnvoySpec(
        "localhost",
        node.port,
        256,
        ("DOWNSTREAM_PASSWORD_1",),
        upstream_username="iam-user-01",
        iam=Iam("demo", "us-east-1"),
        ca_file=str(tmp_path / "ca.pem"),
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        admin = free.getsockname()[1]
    text = render(spec).replace("0.0.0.0", LISTENER).replace("9901", str(admin))
    variables = {
        "DOWNSTREAM_PASSWORD_1": "of-the-clients",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
    }
    client = redis.Redis(LISTENER, node.port, password="of-the-clients", protocol=2)

    def is_answered() -> bool:
        try:
            client.get("k")
        except redis.RedisError:
            return False
        return True

    with envoy(text, variables, tmp_path / "envoy.log"):
        wait_until(is_answered, timeout_seconds=30, what="an answer through Envoy")

    (login, *rest) = node.requests
    command, user, token = login
    query = {key: values[0] for key, values in parse_qs(urlsplit(f"//{token}").query).items()}
    assert (command.lower(), user) == ("auth", "iam-user-01")
    assert urlsplit(f"//{token}").hostname == "demo"
    assert (query["Action"], query["User"]) == ("connect", "iam-user-01")
    assert query["X-Amz-Expires"] == "900"
    assert query["X-Amz-Credential"].split("/")[2:] == ["us-east-1", "elasticache", "aws4_request"]
    assert "not-a-real-key" not in token
    assert ["get", "k"] in [[word.lower() for word in words] for words in rest]
