"""A real HAProxy on loopback, started as the task starts it, before a node that does what a test wants."""

import json
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from lab.containers.images import SYSTEM_PATH, Images
from lab.host import programs
from lab.host.syscalls import command_lines
from lab.wait import wait_until
from nodeway.haproxy.render import (
    START_COMMAND,
    HaproxySpec,
    SharedSpec,
    render,
    render_shared,
)

IMAGE = "public.ecr.aws/docker/library/haproxy:2.8.25-alpine"
NODE, ZONE = "demo-0001-001", "demo.abc123.use1.cache.amazonaws.com"
GRACE_SECONDS = 1
DRAIN_SECONDS = 4


def abrupt(connection: socket.socket) -> None:
    """Has a connection closed by a reset, as that of a program which dies with unread data."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def ended(connection: socket.socket) -> bool:
    """Whether the other end says nothing more and closes, in whatever way."""
    try:
        return connection.recv(10) == b""
    except ConnectionResetError:
        return True


@dataclass(slots=True)
class Node:
    """What stands for a node: PONG for PING, which is what HAProxy checks, and an echo of all else."""

    port: int
    listener: socket.socket | None = None
    connections: list[socket.socket] = field(default_factory=list)

    def listen(self) -> None:
        """Starts."""
        listener = self.listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def refuse(self) -> None:
        """No longer takes connections; those that are there stay."""
        if self.listener:
            # wakes the thread that accepts, which a mere close would not
            with suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def die(self) -> None:
        """Ends at once, with whatever is connected."""
        self.refuse()
        for connection in self.connections:
            with suppress(OSError):
                abrupt(connection)
                # the thread that waits for its next word closes it
                connection.shutdown(socket.SHUT_RD)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while told := connection.recv(65536):
                connection.sendall(b"+PONG\r\n" if told == b"PING\r\n" else told)


@dataclass(frozen=True, slots=True)
class Running:
    """A started script: its process, its output, and its ports for clients and for itself."""

    process: subprocess.Popen[str]
    output: Path
    port: int
    ops: int
    node: Node

    def told(self, message: str) -> list[dict[str, Any]]:
        """The lines of a kind that CloudWatch would make metrics of."""
        lines = self.output.read_text().splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [one for one in found if one["message"] == message]

    def sessions(self, count: int = 1) -> list[dict[str, Any]]:
        """The lines of sessions, when there are so many."""
        wait_until(
            lambda: len(self.told("session")) >= count, timeout_seconds=15, what="a session's line"
        )
        return self.told("session")

    def total(self, name: str) -> int:
        """What the lines say of a counter, together."""
        return sum(one[name] for one in self.told("haproxy"))

    def connect(self) -> socket.socket:
        """A client's connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def talk(self) -> socket.socket:
        """One over which a client has already heard its node."""
        client = self.connect()
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        return client

    def says(self, path: str) -> bool:
        """Whether HAProxy says yes: `/live` of itself, `/ready` of its node."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.ops), 2) as asked:
            asked.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return b" 200 " in asked.recv(100)
        return False

    def node_is(self, *, up: bool) -> None:
        """Waits until HAProxy takes its node for alive, or for dead."""
        wait_until(
            lambda: self.says("/ready") is up, timeout_seconds=20, what=f"the node to be up={up}"
        )

    def others(self) -> dict[int, str]:
        """The processes of the script beside HAProxy itself, by their ids."""
        return {
            pid: line
            for pid, line in command_lines().items()
            # what has ended and waits for its parent has no arguments
            if line and pid != self.process.pid and session_of(pid) == self.process.pid
        }


def session_of(pid: int) -> int | None:
    """The session that a process is in, for as long as it is there."""
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return None


def free_ports(count: int) -> list[int]:
    """Ports that nobody has at the moment."""
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()
    return ports


def hello(name: bytes) -> bytes:
    """A TLS client hello with these bytes as its server name, of any length: no client library would send them."""

    def sized(length_bytes: int, content: bytes) -> bytes:
        return len(content).to_bytes(length_bytes, "big") + content

    names = sized(2, sized(2, b"\0" + sized(2, name)))
    ciphers, compressions, extensions = b"\x13\x01", b"\0", b"\0\0" + names
    body = b"\3\3" + bytes(32) + b"\0" + sized(2, ciphers) + sized(1, compressions)
    return b"\x16\3\1" + sized(2, b"\1" + sized(3, body + sized(2, extensions)))


def own_text(port: int, node: int, directory: Path) -> str:
    """A node's HAProxy but for ports, and for TLS to the node: what stands for it here has none."""
    ca_file = directory / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    spec = HaproxySpec(
        ("127.0.0.1/32",), port, 128, GRACE_SECONDS, DRAIN_SECONDS, ca_file=str(ca_file)
    )
    changes = {
        f"$NODE_BACKEND:{port}": f"$NODE_BACKEND:{node}",
        'tcp-check connect ssl sni "$NODE_HOSTNAME"': "tcp-check connect",
        "inter 3s fastinter 3s": "inter 200ms fastinter 200ms",
    }
    return changed(render(spec), changes)


def shared_text(port: int) -> str:
    """A shared HAProxy whose resolver nobody is, and whose nodes are anywhere."""
    spec = SharedSpec(
        ("127.0.0.1/32",),
        port,
        128,
        GRACE_SECONDS,
        DRAIN_SECONDS,
        replication_group_id="demo",
        zone_name=ZONE,
        nodes=(),
        cache_cidrs=("10.60.0.0/16",),
    )
    return render_shared(spec)


def changed(text: str, changes: dict[str, str]) -> str:
    """The text with other words, each of which was there once."""
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@contextmanager
def running(directory: Path, *, shared: bool = False, **variables: str) -> Iterator[Running]:
    """The script as the task runs it, with short times: a node's HAProxy with its node up, or a shared one."""
    port, ops, node = free_ports(3)
    behind = Node(node)
    behind.listen()
    text = shared_text(port) if shared else own_text(port, node, directory)
    ports = {f"bind :{port}": f"bind 127.0.0.1:{port}", "127.0.0.1:8405": f"127.0.0.1:{ops}"}
    whose = {} if shared else {"NODE_HOSTNAME": f"{NODE}.{ZONE}", "NODE_BACKEND": "127.0.0.1"}
    binaries = Images(directory / "image").pull(IMAGE).programs
    environment = {
        "PATH": f"{binaries}:{SYSTEM_PATH}",
        "HAPROXY_CFG": changed(text, ports),
        "CLUSTER": "demo",
        "REPORT_SECONDS": "0.5",
        **whose,
        **variables,
    }
    output = directory / "output"
    with (
        output.open("wb") as out,
        programs.running(
            ["/bin/sh", "-c", START_COMMAND.replace("8405", str(ops))],
            grace_seconds=0,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        started = Running(process, output, port, ops, behind)
        try:
            alive = "/live" if shared else "/ready"
            wait_until(lambda: started.says(alive), timeout_seconds=20, what="HAProxy to be ready")
            yield started
        finally:
            behind.die()
