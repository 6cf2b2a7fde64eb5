"""Nodes on 127.0.0.1: TLS and RESP as a test wants them, with every command that they got."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from nodeway_runtime.probe.walker import Login, Timeouts, Walker
from tests.support.fakes import ONE, ZONE, named

Talk = Callable[[ssl.SSLSocket], None]
Commands = list[tuple[str, ...]]
NAMES = f"*.{ZONE}"
"""Whom ElastiCache's certificates are for."""
QUICK = Timeouts(connect=0.3, tls=0.3, answer=0.3)
"""For a leg that is meant to run out of its time."""
PATIENT = Timeouts(connect=20, tls=20, answer=20)
"""For any other, whatever else the machine does."""
MOST_SENT = 64 * 2**20
"""Bytes: what takes more of an endless answer would take all."""
NODE_ID = "a" * 40
INFO = "run_id:r1\r\nrole:master\r\nrejected_connections:2\r\nerrorstat_MOVED:count=3\r\n"
SHARDS = (
    b"*1\r\n*4\r\n$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n$5\r\nnodes\r\n*1\r\n*6\r\n"
    b"$2\r\nid\r\n$%d\r\n%b\r\n$8\r\nendpoint\r\n$%d\r\n%b\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
    % (len(NODE_ID), NODE_ID.encode(), len(named(ONE)), named(ONE).encode())
)


def bulk(text: str) -> bytes:
    """A bulk string."""
    return b"$%d\r\n%b\r\n" % (len(text), text.encode())


ANSWERS: Mapping[str, bytes] = {
    "AUTH": b"+OK\r\n",
    "PING": b"+PONG\r\n",
    "CLUSTER MYID": bulk(NODE_ID),
    "INFO": bulk(INFO),
    "CLUSTER SHARDS": SHARDS,
}
"""Of a node in order."""


@dataclass(slots=True)
class Authority:
    """Who signs certificates, and what a client trusts him by."""

    ca: trustme.CA
    file: Path

    def signed(self, *names: str, days: float = 300, since_days: float = 1) -> ssl.SSLContext:
        """A server with a certificate for these names."""
        now = datetime.now(UTC)
        one = self.ca.issue_cert(
            *names,
            not_before=now - timedelta(days=since_days),
            not_after=now + timedelta(days=days),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        one.configure_cert(context)
        return context

    def walker(
        self,
        port: int,
        *addresses: str,
        login: Login | None = None,
        seconds: Timeouts = PATIENT,
    ) -> Walker:
        """One that trusts him, and whose resolver leads every name to these addresses."""
        plain = Walker.of(port, ca_file=str(self.file), login=login)
        found = [(0, 0, 0, "", (one, port)) for one in addresses or ("127.0.0.1",)]
        return Walker(port, plain.context, plain.nameless, login, seconds, lambda *_: found)


def authority(directory: Path) -> Authority:
    """A new one."""
    ca = trustme.CA()
    file = directory / "ca.pem"
    ca.cert_pem.write_to_path(file)
    return Authority(ca, file)


@dataclass(slots=True)
class Node:
    """Where it listens, what it got and, of an answer without an end, how much it could send."""

    port: int
    got: Commands = field(default_factory=list)
    sent: int = 0

    def answering(self, answers: Mapping[str, bytes] = ANSWERS, *, last: str = "") -> Talk:
        """Says for each command what is told; for any other that it knows none. `last`: after this one it closes."""

        def talk(connection: ssl.SSLSocket) -> None:
            for command in commands(connection):
                self.got.append(command)
                words = " ".join(command[:2]) if command[0] == "CLUSTER" else command[0]
                connection.sendall(answers.get(words, b"-ERR unknown command\r\n"))
                if words == last:
                    return

        return talk

    def endless(self, beginning: bytes, more: bytes) -> Talk:
        """Answers the first command with what never ends, as fast as it is taken."""

        def talk(connection: ssl.SSLSocket) -> None:
            self.got.append(next(commands(connection)))
            connection.sendall(beginning)
            while self.sent < MOST_SENT:
                connection.sendall(more)
                self.sent += len(more)

        return talk

    def dripping(self, beginning: bytes, one: bytes) -> Talk:
        """Answers the first command with a little now and then, each well in time."""

        def talk(connection: ssl.SSLSocket) -> None:
            self.got.append(next(commands(connection)))
            connection.sendall(beginning)
            connection.settimeout(0.02)
            while True:
                connection.sendall(one)
                with suppress(TimeoutError):
                    if not connection.recv(1):
                        return

        return talk


def commands(connection: ssl.SSLSocket) -> Iterator[tuple[str, ...]]:
    """What a client asks, one after the other."""
    with connection.makefile("rb") as told:
        while line := told.readline():
            count = int(line[1:])
            yield tuple(told.read(int(told.readline()[1:]) + 2)[:-2].decode() for _ in range(count))


def silent(connection: socket.socket) -> None:
    """Reads, and says nothing."""
    while connection.recv(4096):
        pass


def closing(_: socket.socket) -> None:
    """Closes at once, as a proxy does that has no node behind it."""


@contextmanager
def node(
    context: ssl.SSLContext | None, talk: Callable[[Node], Callable[..., None]]
) -> Iterator[Node]:
    """A node for the time of the block; without a context its talk is with the bare connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    here = Node(int(listener.getsockname()[1]))
    open_: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def one(plain: socket.socket, same: socket.socket) -> None:
        with suppress(OSError), plain:
            if context is None:
                talk(here)(plain)
            else:
                with context.wrap_socket(plain, server_side=True) as secured:
                    talk(here)(secured)
        with suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                open_.append(plain.dup())
                threads.append(threading.Thread(target=one, args=(plain, open_[-1])))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield here
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for plain in open_:
            with suppress(OSError), plain:
                plain.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
