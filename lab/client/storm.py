"""Thousands of connections that are lost together and reconnect together, as after a network failure.

Each resolves, verifies and logs in anew, and retries as clients do.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from lab.client.connection import Access, Client, Figures, at_most, count_errors, distribute


def run(access: Access, names: Sequence[str], connections: int) -> Figures:
    """All in, all gone, all back."""
    return asyncio.run(_run(access, distribute(names, connections)))


async def _run(access: Access, clients: Sequence[Client]) -> Figures:
    await at_most([partial(client.connect, access) for client in clients])
    for client in clients:
        client.lose()
    began = time.monotonic()
    await asyncio.gather(*(client.connect(access) for client in clients))
    seconds = time.monotonic() - began
    figures: Figures = {
        "back": sum(client.connection is not None for client in clients),
        "seconds_until_all_back": round(seconds, 2),
        "errors_by_type": count_errors(clients),
    }
    for client in clients:
        client.lose()
    return figures
