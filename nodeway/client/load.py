"""Writes at a constant rate, and measures failures, gaps and lost writes, for example during a failover.

Each write has a key that no other write or run has, so that every acknowledged one is read back at the end. Each thread
writes to its own range of slots, so that the outage of a shard is a gap of its thread, whatever the others do.
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

from nodeway.client.slots import hash_tags, slot_in, slot_range
from nodeway.client.wait import wait_until

PROGRESS_SECONDS = 0.2
BATCH = 500
READ_BACK_SECONDS = 30.0
NOTED_GAP_SECONDS = 0.05
Client = RedisCluster | redis.Redis
FAILURES = (redis.RedisError, redis.exceptions.RedisClusterException, OSError)
"""Errors of a command. RedisClusterException, for a cluster without a reachable node, is not a RedisError."""


@dataclass(slots=True)
class Writer:
    """The results of one thread."""

    run: str
    number: int
    slots: range
    acknowledged: list[tuple[int, float]] = field(default_factory=list)
    """The number of each write, and the time of its acknowledgement in seconds since the epoch."""
    errors: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    longest_gap: float = 0.0
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """Each gap of at least NOTED_GAP_SECONDS: its begin in seconds since the epoch, and its seconds."""
    waiting_since: float | None = None
    """The begin of the first write since the last success. A gap does not include the pauses of the rate limit."""

    def key(self, sequence: int) -> str:
        """Returns the key of a write, with a hash tag of one of this thread's slots."""
        tag = hash_tags()[self.slot(sequence)]
        return f"lab:load:{self.run}:{self.number}:{sequence}:{{{tag}}}"

    def slot(self, sequence: int) -> int:
        """Returns the slot of a write."""
        return slot_in(self.slots, sequence)

    def note_try(self) -> None:
        """Records that a write begins."""
        if self.waiting_since is None:
            self.waiting_since = time.monotonic()

    def note_success(self, sequence: int) -> None:
        """Records that a write was acknowledged."""
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
        """Records that there are no more writes, and ends a gap."""
        self._end_gap()


@dataclass(frozen=True, slots=True)
class Load:
    """A load of `threads` threads with at most `rate` writes per second each, until the file `until_file` exists.

    `progress`: a file for the counts. `fresh`: whether each write has a new client, which resolves every name again.
    """

    threads: int
    rate: float
    until_file: Path
    progress: Path | None
    fresh: bool = False

    def run(self, open_it: Callable[[], Client]) -> dict[str, Any]:
        """Writes, reads all writes back, and returns the figures; raises redis.RedisError, or WaitTimeout."""
        run = secrets.token_hex(6)
        writers = [Writer(run, n, slot_range(n, self.threads)) for n in range(self.threads)]
        with open_it() as cluster:
            started = time.monotonic()
            store = _fresh(open_it) if self.fresh else _pooled(cluster)
            with ThreadPoolExecutor(self.threads + 1) as pool:
                futures = [pool.submit(self._write, store, writer) for writer in writers]
                pool.submit(self._report, writers)
                for future in futures:
                    future.result()
            seconds = time.monotonic() - started
            lost = [write for writer in writers for write in self._lost(cluster, writer)]
            nodes = {}
            if isinstance(cluster, RedisCluster):
                nodes = {"nodes": sorted(node.host for node in cluster.get_nodes())}
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
            # no burst after a gap: it would hide the gap in the mean rate
            due = max(due + 1 / self.rate, time.monotonic() - 1 / self.rate)
            pause.wait(max(0.0, due - time.monotonic()))
        writer.end()

    def _report(self, writers: list[Writer]) -> None:
        pause = threading.Event()
        while self.progress is not None and not self.until_file.exists():
            each = [len(writer.acknowledged) for writer in writers]
            errors = sum(sum(writer.errors.values()) for writer in writers)
            scratch = self.progress.with_suffix(".new")
            counts = {"acknowledged": sum(each), "by_thread": each, "errors": errors}
            scratch.write_text(json.dumps(counts))
            scratch.replace(self.progress)
            pause.wait(PROGRESS_SECONDS)

    def _lost(self, cluster: Client, writer: Writer) -> list[tuple[int, float]]:
        """Returns the slot and the time of each acknowledged write that is lost."""
        lost = []
        for start in range(0, len(writer.acknowledged), BATCH):
            batch = writer.acknowledged[start : start + BATCH]
            values = _read(cluster, [writer.key(sequence) for sequence, _ in batch])
            for (sequence, time_of_write), value in zip(batch, values, strict=True):
                if value != str(sequence):
                    lost.append((writer.slot(sequence), round(time_of_write, 3)))
        return lost


def _pooled(cluster: Client) -> Callable[[str, str], bool]:
    """Uses one client for all writes."""
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
    """Returns the values of the keys. Retries for READ_BACK_SECONDS, then raises WaitTimeout."""

    def read() -> list[Any] | None:
        try:
            with cluster.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.get(key)
                return list(pipe.execute())
        except FAILURES:
            return None

    what = f"{len(keys)} writes to be read back"
    return wait_until(read, timeout_seconds=READ_BACK_SECONDS, what=what)
