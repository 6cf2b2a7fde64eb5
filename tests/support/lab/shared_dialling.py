"""A client of shared HAProxies that says in its TLS hello whatever a test wants. It runs in a room."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TypedDict

from lab import layout
from lab.host import network

PATIENCE_SECONDS = 12.0
"""Longer than anything of HAProxy's."""


class Reply(TypedDict):
    """What became of a connection: `answered`, `closed`, `refused` (by nobody who listens) or `open`."""

    end: str
    heard: str
    seconds: float


def dial(
    address: str,
    *parts: bytes,
    port: int = layout.PORT,
    pause_seconds: float = 0.2,
    where: network.VpcName = "client",
) -> Reply:
    """Connects from a network, sends the parts one after the other, and waits for an answer."""

    def go() -> Reply:
        began = time.monotonic()
        end, heard = "open", b""
        try:
            with socket.create_connection((address, port), PATIENCE_SECONDS) as connection:
                send(connection, parts, pause_seconds)
                heard = connection.recv(65536)
                end = "answered" if heard else "closed"
        except ConnectionRefusedError:
            end = "refused"
        except (ConnectionResetError, BrokenPipeError):
            end = "closed"
        except TimeoutError:
            pass
        return {"end": end, "heard": heard.decode(), "seconds": time.monotonic() - began}

    return network.in_network(where, go)


def send(connection: socket.socket, parts: Sequence[bytes], pause_seconds: float) -> None:
    """Sends the parts as packets of their own."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for number, part in enumerate(parts):
        if number:
            threading.Event().wait(pause_seconds)
        connection.sendall(part)


def hello(name: bytes | str) -> bytes:
    """A TLS client hello with these very bytes as its server name; with none at all for an empty one."""
    wanted = name.encode() if isinstance(name, str) else name
    # ssl refuses to send some names, so a harmless one of the same length is sent and then replaced
    labels = ".".join(["x" * 32] * 8)
    harmless = labels[: len(wanted)].rstrip(".").ljust(len(wanted), "x")
    context = ssl.create_default_context()
    context.check_hostname = False
    sent = ssl.MemoryBIO()
    wrapped = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=harmless or None)
    try:
        wrapped.do_handshake()
    except ssl.SSLWantReadError:
        return sent.read().replace(harmless.encode(), wanted, 1)
    msg = "a handshake without an answer"
    raise AssertionError(msg)


def set_answers(answers: Mapping[str, Sequence[str]]) -> None:
    """What the resolver says from now on: names and their addresses; nothing at all for an empty mapping."""
    path = layout.run_dir() / "answers.json"
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(answers))
    scratch.replace(path)
