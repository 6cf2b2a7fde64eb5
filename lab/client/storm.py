"""Thousands of connections that are lost together and reconnect together, as after a network failure.

Each resolves, verifies and logs in anew, and retries as clients do.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from lab.client.connection import (
    RETRIES,
    Access,
    Connection,
    Figures,
    at_most,
    backoff,
    distribute,
)

TOGETHER = 64


@dataclass(slots=True)
class Client:
    """One client: its node, and its errors."""

    name: str
    connection: Connection | None = None
    errors: list[str] = field(default_factory=list)

    async def connect(self, access: Access) -> None:
        """Connect, with the pauses between retries that clients make; `connection` stays None when all failed."""
        for retry in range(RETRIES + 1):
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


def run(access: Access, names: Sequence[str], connections: int) -> Figures:
    """All in, all gone, all back."""
    return asyncio.run(_run(access, [Client(name) for name in distribute(names, connections)]))


async def _run(access: Access, clients: Sequence[Client]) -> Figures:
    await at_most(TOGETHER, [partial(client.connect, access) for client in clients])
    for client in clients:
        client.lose()
    began = time.monotonic()
    await asyncio.gather(*(client.connect(access) for client in clients))
    seconds = time.monotonic() - began
    figures: Figures = {
        "back": sum(client.connection is not None for client in clients),
        "seconds_until_all_back": round(seconds, 2),
        "errors_by_type": dict(Counter(error for client in clients for error in client.errors)),
    }
    for client in clients:
        client.lose()
    return figures
