"""A minimal RESP2 client for one connection: https://redis.io/docs/latest/develop/reference/protocol-spec/.

A client library would hide the phases that the probe measures. The peer is not trusted: time, size, nesting and number
of values of a reply are limited.
"""

import socket
import time
from typing import Any

MAX_ANSWER_BYTES = 8 * 2**20
"""INFO has some KiB, CLUSTER SHARDS of 500 nodes some 200 KiB."""
MAX_LINE_BYTES = 65_536
MAX_VALUES = 500_000
"""Enough for CLUSTER SLOTS with 16,384 ranges, each with a primary and two replicas."""
MAX_DEPTH = 8
"""Nested arrays; CLUSTER SHARDS has four levels."""


class ErrorReply(Exception):
    """An error reply of the node."""

    @property
    def code(self) -> str:
        """The first word, such as NOAUTH or NOPERM."""
        return str(self).partition(" ")[0]


class NoAnswer(OSError):
    """The node closed the connection, or its reply is not RESP or over a limit."""


class Conversation:
    """Sends commands one after the other. `seconds`: limit of the time until a reply is complete."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        """The caller keeps and closes the connection."""
        self._connection = connection
        self._seconds = seconds
        self._deadline = 0.0
        self._bytes_left = 0
        self._values_left = 0
        self._buffer = bytearray()

    def ask(self, *words: str) -> Any:  # noqa: ANN401 (whatever the node says)
        """Sends a command and returns the reply; raises ErrorReply, NoAnswer or TimeoutError."""
        # A password may contain any character.
        parts = [word.encode(errors="surrogatepass") for word in words]
        body = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        self._deadline = time.monotonic() + self._seconds
        self._bytes_left, self._values_left = MAX_ANSWER_BYTES, MAX_VALUES
        self._connection.settimeout(self._seconds)
        self._connection.sendall(b"*%d\r\n%b" % (len(parts), body))
        return self._read_reply(MAX_DEPTH)

    def _read_reply(self, depth: int) -> Any:  # noqa: ANN401
        self._values_left -= 1
        if self._values_left < 0 or depth < 0:
            raise NoAnswer("an answer of too many values")
        line = self._read_line()
        kind, rest = line[:1], line[1:].decode(errors="replace")
        try:
            match kind:
                case b"+":
                    return rest
                case b"-":
                    raise ErrorReply(rest)
                case b":":
                    return int(rest)
                case b"$":
                    return self._read_bulk(int(rest))
                case b"*":
                    return [self._read_reply(depth - 1) for _ in range(int(rest))]
        except ValueError:
            pass
        raise NoAnswer(f"it says what is no RESP: {line[:40]!r}")

    def _read_line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise NoAnswer("it says what is no RESP: a line without an end")
            self._receive()
        return self._take(end)

    def _read_bulk(self, length: int) -> str | None:
        if length < 0:
            return None
        if length > MAX_ANSWER_BYTES:
            raise NoAnswer(f"an answer of {length} bytes")
        while len(self._buffer) < length + 2:
            self._receive()
        return self._take(length).decode(errors="replace")

    def _take(self, length: int) -> bytes:
        """Removes and returns so many bytes, and removes the CR LF after them."""
        found = bytes(self._buffer[:length])
        del self._buffer[: length + 2]
        return found

    def _receive(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("its answer does not end")
        self._connection.settimeout(left)
        more = self._connection.recv(MAX_LINE_BYTES)
        if not more:
            raise NoAnswer("it closed the connection")
        self._bytes_left -= len(more)
        if self._bytes_left < 0:
            raise NoAnswer(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        self._buffer += more
