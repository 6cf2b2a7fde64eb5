"""Steady writes while proxies or nodes fail: counts errors, and at the end acknowledged writes that are lost."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from secrets import token_hex
from typing import Protocol

from lab.conformance.clients.python.shared.keys import Keys
from lab.conformance.clients.python.shared.outcome import describe_error, print_line

WORKERS = 4
KEYS_A_WORKER = 50
PACE_SECONDS = 0.02
PAUSE_SECONDS = 0.1
REPORT_SECONDS = 0.25
READ_BACK_SECONDS = 20.0


class Store(Protocol):
    """As much of a client as the load needs; one for all workers, as programs have it."""

    def set(self, key: str, value: str, /) -> object:
        """Returns when the write is acknowledged."""

    def get(self, key: str, /) -> str | None:
        """The value as a text."""


@dataclass(slots=True)
class Worker:
    """What one thread has written and seen."""

    keys: list[str]
    acknowledged: int = 0
    errors: list[str] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)
    """The last acknowledged value of each key."""
    longest_gap: float = 0.0

    def write(self, store: Callable[[], Store], stop: threading.Event) -> None:
        """Write until describe_error to stop."""
        counter = 0
        last = time.monotonic()
        while not stop.is_set():
            key = self.keys[counter % len(self.keys)]
            counter += 1
            try:
                store().set(key, str(counter))
            except Exception as error:  # noqa: BLE001 - whatever the client raises is counted
                self.errors.append(describe_error(error))
                stop.wait(PAUSE_SECONDS)
                continue
            self.acknowledged += 1
            self.values[key] = counter
            self.longest_gap = max(self.longest_gap, time.monotonic() - last)
            last = time.monotonic()
            stop.wait(PACE_SECONDS)
        self.longest_gap = max(self.longest_gap, time.monotonic() - last)

    def lost(self, store: Callable[[], Store], deadline: float) -> int:
        """How many keys have an older value than was acknowledged; one that nobody can read counts, too."""
        return sum(self._read(store, key, deadline) < value for key, value in self.values.items())

    def _read(self, store: Callable[[], Store], key: str, deadline: float) -> int:
        while True:
            try:
                return int(store().get(key) or 0)
            except Exception as error:  # noqa: BLE001 - the same
                self.errors.append(describe_error(error))
                if time.monotonic() > deadline:
                    return 0
                threading.Event().wait(PAUSE_SECONDS)


def run(open_store: Callable[[], Store], keys: Keys) -> None:
    """Write until standard input ends, then read all back."""
    run_id = token_hex(4)
    stop = threading.Event()
    threading.Thread(target=_stop_at_end_of_input, args=[stop], daemon=True).start()
    store = _open_once(open_store)
    workers = [
        Worker(keys.spread(KEYS_A_WORKER, f"load:{run_id}:{number}")) for number in range(WORKERS)
    ]
    threads = [threading.Thread(target=worker.write, args=[store, stop]) for worker in workers]
    for thread in threads:
        thread.start()
    while not stop.wait(REPORT_SECONDS):
        print_line(**_totals(workers), workers=[worker.acknowledged for worker in workers])
    for thread in threads:
        thread.join()
    totals = _totals(workers)
    deadline = time.monotonic() + READ_BACK_SECONDS
    lost = sum(worker.lost(store, deadline) for worker in workers)
    texts = dict.fromkeys(error for worker in workers for error in worker.errors)
    print_line(
        final=True,
        **totals,
        lost=lost,
        longest_gap=round(max(worker.longest_gap for worker in workers), 3),
        last_errors=list(texts)[-3:],
    )


def _totals(workers: list[Worker]) -> dict[str, int]:
    return {
        "acknowledged": sum(worker.acknowledged for worker in workers),
        "errors": sum(len(worker.errors) for worker in workers),
    }


def _open_once(open_store: Callable[[], Store]) -> Callable[[], Store]:
    """Opens at the first call that succeeds: a client that cannot connect yet is an error of that write."""
    lock = threading.Lock()
    opened = cache(open_store)

    def store() -> Store:
        with lock:
            return opened()

    return store


def _stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()
