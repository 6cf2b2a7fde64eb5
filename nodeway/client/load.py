"""Steady writes while things happen to the cluster: what a user would notice, and what was lost.

Every write has a key of its own, which no other run of this program has either, so that each acknowledged one can be
asked for at the end. Each thread writes into its own part of the slots only: a shard that is dark shows as that
thread's longest gap, and not as one of many that another thread's success covers. It must never count a write that
was not acknowledged.
"""

# mypy: disallow-untyped-calls=False
# redis-py's cluster client is half typed

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from redis.cluster import RedisCluster

from nodeway.client.slots import part, slot_in, tags
from nodeway.client.wait import wait_until

PROGRESS_SECONDS = 0.2
BATCH = 500
READ_BACK_SECONDS = 30.0
NOTED_GAP_SECONDS = 0.05
Client = RedisCluster | redis.Redis
FAILURES = (redis.RedisError, redis.exceptions.RedisClusterException, OSError)
"""What a command may raise; what a cluster client says when it finds no node at all is no RedisError."""


@dataclass(slots=True)
class Writer:
    """What one thread has seen."""

    run: str
    number: int
    slots: range
    acknowledged: list[tuple[int, float]] = field(default_factory=list)
    """Each write's number, and when it was acknowledged, in seconds since the epoch."""
    errors: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    longest_gap: float = 0.0
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """Each gap worth the name: when it began, in seconds since the epoch, and how many seconds it lasted."""
    waiting_since: float | None = None
    """When the first write after the latest success was begun; the pauses of its own pace are no gap."""

    def key(self, sequence: int) -> str:
        """The key of a write: its hash tag puts it into one of this thread's slots."""
        tag = tags()[self.slot(sequence)]
        return f"lab:load:{self.run}:{self.number}:{sequence}:{{{tag}}}"

    def slot(self, sequence: int) -> int:
        """The slot of a write."""
        return slot_in(self.slots, sequence)

    def note_try(self) -> None:
        """A write begins."""
        if self.waiting_since is None:
            self.waiting_since = time.monotonic()

    def note_success(self, sequence: int) -> None:
        """A write is acknowledged."""
        self._end_gap()
        self.acknowledged.append((sequence, time.time()))

    def _end_gap(self) -> None:
        if self.waiting_since is not None:
            seconds = time.monotonic() - self.waiting_since
            self.longest_gap = max(self.longest_gap, seconds)
            if seconds >= NOTED_GAP_SECONDS:
                self.gaps.append((time.time() - seconds, round(seconds, 3)))
        self.waiting_since = None

    def end(self) -> None:
        """No more writes: a gap that goes on counts as long as it is by now."""
        self._end_gap()


@dataclass(frozen=True, slots=True)
class Load:
    """So many threads, each with so many writes a second at most, until a file exists.

    `fresh`: a client of its own for each write, which looks every name up again.
    """

    threads: int
    rate: float
    until_file: Path
    progress: Path | None
    fresh: bool = False

    def run(self, open_it: Callable[[], Client]) -> dict[str, Any]:
        """Write until told to stop, read all back, give the figures; raises redis.RedisError."""
        run = secrets.token_hex(6)
        writers = [Writer(run, n, part(n, self.threads)) for n in range(self.threads)]
        with open_it() as cluster:
            started = time.monotonic()
            store = _fresh(open_it) if self.fresh else _pooled(cluster)
            with ThreadPoolExecutor(self.threads + 1) as pool:
                done = [pool.submit(self._write, store, writer) for writer in writers]
                pool.submit(self._report, writers)
                for future in done:
                    future.result()
            seconds = time.monotonic() - started
            lost = [one for writer in writers for one in self._lost(cluster, writer)]
            # a plain client knows of none
            known = cluster.get_nodes() if isinstance(cluster, RedisCluster) else ()
            nodes = {"nodes": sorted(node.host for node in known)} if known else {}
        errors = sum((writer.errors for writer in writers), Counter[str]())
        return {
            "acknowledged": sum(len(writer.acknowledged) for writer in writers),
            "failed": sum(writer.failed for writer in writers),
            "errors": sum(errors.values()),
            "errors_by_type": dict(errors),
            "longest_gap_seconds": round(max(writer.longest_gap for writer in writers), 3),
            "lost_acknowledged": len(lost),
            "lost": lost,
            "gaps": [gap for writer in writers for gap in writer.gaps],
            **nodes,
            "seconds": round(seconds, 3),
        }

    def _write(self, store: Callable[[str, str], bool], writer: Writer) -> None:
        pause = threading.Event()
        sequence = 0
        due = time.monotonic()
        while not self.until_file.exists():
            writer.note_try()
            if _try(store, writer, sequence) or _try(store, writer, sequence):
                writer.note_success(sequence)
            else:
                writer.failed += 1
            sequence += 1
            # after a gap, at the same pace again: no burst that would hide it in the mean
            due = max(due + 1 / self.rate, time.monotonic() - 1 / self.rate)
            pause.wait(max(0.0, due - time.monotonic()))
        writer.end()

    def _report(self, writers: list[Writer]) -> None:
        pause = threading.Event()
        while self.progress is not None and not self.until_file.exists():
            each = [len(writer.acknowledged) for writer in writers]
            errors = sum(sum(writer.errors.values()) for writer in writers)
            fresh = self.progress.with_suffix(".new")
            told = {"acknowledged": sum(each), "by_thread": each, "errors": errors}
            fresh.write_text(json.dumps(told))
            fresh.replace(self.progress)
            pause.wait(PROGRESS_SECONDS)

    def _lost(self, cluster: Client, writer: Writer) -> list[tuple[int, float]]:
        """Slot and time of each acknowledged write that is not there any more."""
        lost = []
        for start in range(0, len(writer.acknowledged), BATCH):
            batch = writer.acknowledged[start : start + BATCH]
            there = _read(cluster, [writer.key(sequence) for sequence, _ in batch])
            for (sequence, at), got in zip(batch, there, strict=True):
                if got != str(sequence):
                    lost.append((writer.slot(sequence), round(at, 3)))
        return lost


def _pooled(cluster: Client) -> Callable[[str, str], bool]:
    """One client for all writes, as programs have it."""
    return lambda key, value: bool(cluster.set(key, value))


def _fresh(open_it: Callable[[], Client]) -> Callable[[str, str], bool]:
    def store(key: str, value: str) -> bool:
        with open_it() as cluster:
            return bool(cluster.set(key, value))

    return store


def _try(store: Callable[[str, str], bool], writer: Writer, sequence: int) -> bool:
    try:
        return store(writer.key(sequence), str(sequence))
    except FAILURES as error:
        writer.errors[type(error).__name__] += 1
        return False


def _read(cluster: Client, keys: list[str]) -> list[Any]:
    """All values; a cluster that is not quite back has some time for its answer. Raises WaitTimeout after that."""
    told: list[str] = []

    def read() -> list[Any] | None:
        try:
            with cluster.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.get(key)
                return list(pipe.execute())
        except FAILURES as error:
            told.append(f"{type(error).__name__}: {error}")
            return None

    what = f"{len(keys)} writes to be read back"
    return wait_until(read, timeout_seconds=READ_BACK_SECONDS, what=what)
