"""One of thousands of connections to a node: TLS with the name verified, AUTH, PING, and little memory.

It is a socket with Python's TLS, since a full client object costs far more than the server's side. Each connection
looks its name up anew.
"""

import asyncio
import random
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle, islice
from typing import Any, TypeVar

from lab.errors import LabError

ATTEMPT_SECONDS = 30.0
"""One host's processors carry what many hosts would: how long an attempt may wait its turn."""
OWN_FILES = 200
TOGETHER = 64
READ_BYTES = 4096

BACKOFF_BASE_SECONDS = 1.0
BACKOFF_CAP_SECONDS = 10.0
RETRIES = 10
"""What redis-py does by default: exponential, with full jitter."""

T = TypeVar("T")
Figures = dict[str, Any]
Stage = Callable[[Figures], None]
"""Told the figures so far; returns when the clients may go on."""


class Refused(ConnectionError):
    """The node answered with an error, or with something unexpected."""


@dataclass(frozen=True)
class Access:
    """How to log in, from the environment of `nodeway.client`."""

    port: int
    username: str
    password: str
    ca_file: str

    @staticmethod
    def of(environment: Mapping[str, str]) -> "Access":
        """Raises KeyError when a variable is missing."""
        return Access(
            int(environment["LAB_PORT"]),
            environment["LAB_USERNAME"],
            environment["LAB_PASSWORD"],
            environment["LAB_CA_FILE"],
        )

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Certificate and name are verified."""
        return ssl.create_default_context(cafile=self.ca_file)


class Connection:
    """An open connection to a node, logged in."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        """Use `connect`."""
        self._socket = sock

    @staticmethod
    async def connect(name: str, access: Access) -> "Connection":
        """Look up, connect, verify, log in, PING; raises OSError (a timeout is one, too) when any of it fails."""
        async with asyncio.timeout(ATTEMPT_SECONDS):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(
                name, access.port, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
            plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                plain.settimeout(0)
                await loop.sock_connect(plain, found[0][4])
                sock = access.tls.wrap_socket(
                    plain, server_hostname=name, do_handshake_on_connect=False
                )
            except BaseException:
                plain.close()
                raise
            connection = Connection(sock)
            try:
                await connection._as_tls_wants(sock.do_handshake)
                await connection.send("AUTH", access.username, access.password, expect=b"+OK\r\n")
                await connection.ping()
            except BaseException:
                connection.close()
                raise
        return connection

    async def ping(self) -> None:
        """Raises OSError when the answer is not PONG."""
        await self.send("PING", expect=b"+PONG\r\n")

    async def send(self, *words: str, expect: bytes) -> None:
        """Send one command; raises Refused for another answer, OSError when the connection is lost."""
        message = command(words)
        await self._as_tls_wants(lambda: self._socket.send(message))
        answer = b""
        while not answer.endswith(b"\r\n"):
            got = await self._as_tls_wants(lambda: self._socket.recv(READ_BYTES))
            if not got:
                raise Refused("closed by the other side")
            answer += got
        if answer != expect:
            raise Refused(f"{words[0]} was answered {answer[:60]!r}")

    def is_open(self) -> bool:
        """Whether the other side has not closed it; for an idle connection without pending data."""
        try:
            return bool(self._socket.recv(1))
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        """Close the socket without QUIT, as a program that ends does."""
        self._socket.close()

    async def _as_tls_wants(self, step: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                add, remove = loop.add_reader, loop.remove_reader
            except ssl.SSLWantWriteError:
                add, remove = loop.add_writer, loop.remove_writer
            ready: asyncio.Future[None] = loop.create_future()
            add(self._socket, _done, ready)
            try:
                await ready
            finally:
                remove(self._socket)


def _done(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def command(words: Sequence[str]) -> bytes:
    """A command in the form of the Redis protocol."""
    parts = [word.encode() for word in words]
    bulk = [b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]
    return b"*%d\r\n%b" % (len(parts), b"".join(bulk))


@dataclass(slots=True)
class Client:
    """One client: its node, and its errors."""

    name: str
    connection: Connection | None = None
    errors: list[str] = field(default_factory=list)

    async def connect(self, access: Access, retries: int = RETRIES) -> None:
        """Connect, with the pauses between retries that clients make; `connection` stays None when all failed."""
        for retry in range(retries + 1):
            if retry:
                await asyncio.sleep(backoff(retry))
            try:
                self.connection = await Connection.connect(self.name, access)
            except OSError as error:
                self.errors.append(type(error).__name__)
            else:
                return

    def lose(self) -> None:
        """Close the connection and forget its errors."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None
        self.errors.clear()


def distribute(names: Sequence[str], connections: int) -> list[Client]:
    """So many clients, which go to the names in turn."""
    return [Client(name) for name in islice(cycle(names), connections)]


def count_errors(clients: Iterable[Client]) -> dict[str, int]:
    """The errors of all clients by their type."""
    return dict(Counter(error for client in clients for error in client.errors))


def backoff(retry: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait before the n-th retry (from 1)."""
    longest = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** (retry - 1))
    return chance() * longest


async def at_most(works: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run all works, at most TOGETHER at the same time; returns the results in their order."""
    turn = asyncio.Semaphore(TOGETHER)

    async def one(work: Callable[[], Awaitable[T]]) -> T:
        async with turn:
            return await work()

    return list(await asyncio.gather(*map(one, works)))


def make_room(connections: int) -> None:
    """Raise this process's limit of open files; raises LabError when the machine does not allow it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    check_room(connections, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def check_room(connections: int, hard: int) -> None:
    """Raise LabError when that hard limit of open files is too low for so many sockets."""
    needed = connections + OWN_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise LabError(
            f"{connections} connections need {needed} open files, and this user may have {hard}: raise the "
            f"hard limit (`ulimit -Hn {needed}` as root, or /etc/security/limits.conf)"
        )
