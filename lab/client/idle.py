"""Thousands of idle connections, then pub/sub beside them, then a PING on each.

A connection counts as alive only when it has answered.
"""

# mypy: disallow-untyped-calls=False
# redis-py's pub/sub is half typed

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lab.client.connection import (
    Access,
    Connection,
    Figures,
    Stage,
    at_most,
    count_errors,
    distribute,
)

IDLE_SECONDS = 5.0
DELIVERY_SECONDS = 15.0
CHANNEL = "lab:open_connections:news"


def run(
    access: Access, names: Sequence[str], connections: int, messages: int, stage: Stage
) -> Figures:
    """Open, be idle, publish, count: `stage` is told once all idle ones are open."""
    return asyncio.run(_run(access, names, connections, messages, stage))


async def _run(
    access: Access, names: Sequence[str], connections: int, messages: int, stage: Stage
) -> Figures:
    clients = distribute(names, connections)
    await at_most([partial(client.connect, access, retries=0) for client in clients])
    open_connections = [one.connection for one in clients if one.connection is not None]
    figures: Figures = {"opened": len(open_connections), "errors_by_type": count_errors(clients)}
    await asyncio.sleep(IDLE_SECONDS)
    await asyncio.to_thread(stage, figures)
    published = await asyncio.to_thread(pubsub, access, names, messages)
    still_open = sum(one.is_open() for one in open_connections)
    answered = sum(await at_most([partial(_is_answering, one) for one in open_connections]))
    for one in open_connections:
        one.close()
    return {**figures, **published, "still_open": still_open, "answered_at_the_end": answered}


async def _is_answering(connection: Connection) -> bool:
    try:
        async with asyncio.timeout(DELIVERY_SECONDS):
            await connection.ping()
    except OSError:
        return False
    return True


def node(access: Access, name: str) -> redis.Redis:
    """A client of one node without retries, so that every error is counted."""
    return redis.Redis(
        host=name,
        port=access.port,
        username=access.username,
        password=access.password,
        ssl=True,
        ssl_ca_certs=access.ca_file,
        socket_timeout=10,
        socket_connect_timeout=10,
        retry=Retry(NoBackoff(), 0),
    )


def pubsub(access: Access, names: Sequence[str], messages: int) -> Figures:
    """Subscribe at each node and publish at each in turn; a cluster carries each message to all nodes."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(node(access, name)) for name in names]
        listeners = [stack.enter_context(one.pubsub()) for one in nodes]
        for listener in listeners:
            listener.subscribe(CHANNEL)
            listener.get_message(timeout=DELIVERY_SECONDS)
        expected = [str(number).encode() for number in range(messages)]
        for number, text in enumerate(expected):
            nodes[number % len(nodes)].publish(CHANNEL, text)
        deadline = time.monotonic() + DELIVERY_SECONDS
        received = [_receive(listener, messages, deadline) for listener in listeners]
    # what came through different nodes may overtake each other
    delivered = sum(len(set(one) & set(expected)) for one in received)
    return {
        "messages_delivered": delivered,
        "messages_twice": sum(len(one) - len(set(one)) for one in received),
    }


def _receive(listener: redis.client.PubSub, messages: int, deadline: float) -> list[bytes]:
    received: list[bytes] = []
    while len(received) < messages and time.monotonic() < deadline:
        message = listener.get_message(ignore_subscribe_messages=True, timeout=0.5)
        if message is not None:
            received.append(message["data"])
    return received
