"""Steady writes while things happen to the cluster: what a user would notice, and what was lost.

Every write has a key of its own, so that each acknowledged one can be asked for at the end. It must
never count a write that was not acknowledged.
"""

# mypy: disallow-untyped-calls=False
# redis-py's cluster client is half typed

import json
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

PROGRESS_SECONDS = 0.2
BATCH = 500


@dataclass(slots=True)
class Writer:
    """What one thread has seen."""

    number: int
    acknowledged: list[int] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    longest_gap: float = 0.0
    last: float = field(default_factory=time.monotonic)

    def key(self, sequence: int) -> str:
        """The key of a write; keys fall into all slots."""
        return f"lab:load:{self.number}:{sequence}"

    def note_success(self, sequence: int) -> None:
        """A write is acknowledged."""
        now = time.monotonic()
        self.longest_gap = max(self.longest_gap, now - self.last)
        self.last = now
        self.acknowledged.append(sequence)


@dataclass(frozen=True, slots=True)
class Load:
    """So many threads, each with so many writes a second at most, until a file exists."""

    threads: int
    rate: float
    until_file: Path
    progress: Path | None

    def run(self, open_it: Callable[[], RedisCluster]) -> dict[str, Any]:
        """Write until told to stop, read all back, give the figures; raises redis.RedisError."""
        writers = [Writer(number) for number in range(self.threads)]
        with open_it() as cluster:
            started = time.monotonic()
            with ThreadPoolExecutor(self.threads + 1) as pool:
                done = [pool.submit(self._write, cluster, writer) for writer in writers]
                pool.submit(self._report, writers)
                for future in done:
                    future.result()
            seconds = time.monotonic() - started
            lost = sum(self._lost(cluster, writer) for writer in writers)
            nodes = sorted(node.host for node in cluster.get_nodes())
        errors = sum((writer.errors for writer in writers), Counter[str]())
        return {
            "acknowledged": sum(len(writer.acknowledged) for writer in writers),
            "failed": sum(writer.failed for writer in writers),
            "errors": sum(errors.values()),
            "errors_by_type": dict(errors),
            "longest_gap_seconds": round(max(writer.longest_gap for writer in writers), 3),
            "lost_acknowledged": lost,
            "nodes": nodes,
            "seconds": round(seconds, 3),
        }

    def _write(self, cluster: RedisCluster, writer: Writer) -> None:
        pause = threading.Event()
        sequence = 0
        due = time.monotonic()
        writer.last = due
        while not self.until_file.exists():
            if self._try(cluster, writer, sequence) or self._try(cluster, writer, sequence):
                writer.note_success(sequence)
            else:
                writer.failed += 1
            sequence += 1
            # after a gap, at the same pace again: no burst that would hide it in the mean
            due = max(due + 1 / self.rate, time.monotonic() - 1 / self.rate)
            pause.wait(max(0.0, due - time.monotonic()))

    def _try(self, cluster: RedisCluster, writer: Writer, sequence: int) -> bool:
        try:
            return bool(cluster.set(writer.key(sequence), str(sequence)))
        except (redis.RedisError, OSError) as error:
            writer.errors[type(error).__name__] += 1
            return False

    def _report(self, writers: list[Writer]) -> None:
        pause = threading.Event()
        while self.progress is not None and not self.until_file.exists():
            count = sum(len(writer.acknowledged) for writer in writers)
            errors = sum(sum(writer.errors.values()) for writer in writers)
            fresh = self.progress.with_suffix(".new")
            fresh.write_text(json.dumps({"acknowledged": count, "errors": errors}))
            fresh.replace(self.progress)
            pause.wait(PROGRESS_SECONDS)

    def _lost(self, cluster: RedisCluster, writer: Writer) -> int:
        """How many acknowledged writes are not there any more."""
        lost = 0
        for start in range(0, len(writer.acknowledged), BATCH):
            batch = writer.acknowledged[start : start + BATCH]
            with cluster.pipeline() as pipe:
                for sequence in batch:
                    pipe.get(writer.key(sequence))
                there = pipe.execute()
            lost += sum(got != str(n) for n, got in zip(batch, there, strict=True))
        return lost
