"""A RESP2 conversation with one node: the few commands that the probe asks, over a connection that is there.

https://redis.io/docs/latest/develop/reference/protocol-spec/. A client library would hide the legs that are timed. Who
answers is not known yet: no answer may cost more than its time, its bytes or its values.
"""

import socket
import time
from typing import Any

MAX_ANSWER_BYTES = 8 * 2**20
"""Bytes; INFO has some KiB, CLUSTER SHARDS of 500 nodes some 200 KiB. More is not an answer to what was asked."""
MAX_LINE_BYTES = 65_536
MAX_VALUES = 500_000
"""CLUSTER SLOTS of 16,384 ranges, each with its primary and two replicas."""
MAX_DEPTH = 8
"""Arrays in arrays; CLUSTER SHARDS has four."""


class ErrorReply(Exception):
    """The node's error, in its own words; `code` is the first of them."""

    @property
    def code(self) -> str:
        """Such as NOAUTH or NOPERM."""
        return str(self).partition(" ")[0]


class NoAnswer(OSError):
    """The node closed the connection, or said what is no RESP."""


class Conversation:
    """Commands and answers, one after the other; `seconds`: how long a whole answer may take, however it drips."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        """The connection stays its owner's."""
        self._connection = connection
        self._seconds = seconds
        self._until = 0.0
        self._room = 0
        self._values = 0
        self._buffer = bytearray()

    def ask(self, *words: str) -> Any:  # noqa: ANN401 (whatever the node says)
        """The answer to a command; raises Refused, NoAnswer, or TimeoutError."""
        # whatever a password is made of: the node judges it
        parts = [word.encode(errors="surrogatepass") for word in words]
        told = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        self._until = time.monotonic() + self._seconds
        self._room, self._values = MAX_ANSWER_BYTES, MAX_VALUES
        self._connection.settimeout(self._seconds)
        self._connection.sendall(b"*%d\r\n%b" % (len(parts), told))
        return self._answer(MAX_DEPTH)

    def _answer(self, depth: int) -> Any:  # noqa: ANN401
        self._values -= 1
        if self._values < 0 or depth < 0:
            raise NoAnswer("an answer of too many values")
        line = self._line()
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
                    return self._bulk(int(rest))
                case b"*":
                    return [self._answer(depth - 1) for _ in range(int(rest))]
        except ValueError:
            pass
        raise NoAnswer(f"it says what is no RESP: {line[:40]!r}")

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise NoAnswer("it says what is no RESP: a line without an end")
            self._more()
        return self._taken(end)

    def _bulk(self, length: int) -> str | None:
        if length < 0:
            return None
        if length > MAX_ANSWER_BYTES:
            raise NoAnswer(f"an answer of {length} bytes")
        while len(self._buffer) < length + 2:
            self._more()
        return self._taken(length).decode(errors="replace")

    def _taken(self, length: int) -> bytes:
        """So many bytes, without the two that end them."""
        found = bytes(self._buffer[:length])
        del self._buffer[: length + 2]
        return found

    def _more(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("its answer does not end")
        self._connection.settimeout(left)
        more = self._connection.recv(MAX_LINE_BYTES)
        if not more:
            raise NoAnswer("it closed the connection")
        self._room -= len(more)
        if self._room < 0:
            raise NoAnswer(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        self._buffer += more
