"""Whose loss it is. Redis replicates after it has acknowledged: a primary that is lost takes its last writes along.

Such a loss is Redis's with or without HAProxies. It must never cover a write to another shard, or one that was
acknowledged long before the primary was lost, or after its successor led.
"""

from dataclasses import dataclass

SECONDS_BEFORE = 5.0
"""How far a replica may lag in the lab: far more than was ever seen, far less than a scenario lasts."""


@dataclass(frozen=True, slots=True)
class Failover:
    """A primary was lost: its slots, and when (since the epoch) that began, and when all knew its successor."""

    slots: frozenset[int]
    began: float
    ended: float


def allowed(lost: tuple[int, float], failover: Failover) -> bool:
    """Whether a lost write (slot, time of its acknowledgement) is one that Redis allows in this failover."""
    slot, at = lost
    return slot in failover.slots and failover.began - SECONDS_BEFORE <= at <= failover.ended
