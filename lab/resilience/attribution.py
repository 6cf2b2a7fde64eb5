"""Attribution of lost writes: Redis replicates after it has acknowledged, so a lost primary loses its last writes.

Redis loses them with or without HAProxies. A write to another shard, or one acknowledged long before the primary was
lost or after its successor took over, is not such a loss.
"""

from dataclasses import dataclass

SECONDS_BEFORE = 5.0
"""Replication lag that counts as Redis's own: far above any lag seen in the lab, far below a scenario's duration."""


@dataclass(frozen=True, slots=True)
class Failover:
    """A primary was lost: its slots, when the loss began, and when all nodes knew the successor (epoch seconds)."""

    slots: frozenset[int]
    began: float
    ended: float

    def explains(self, slot: int, at: float) -> bool:
        """Whether Redis itself may lose a write to this slot, acknowledged at this time (epoch seconds)."""
        return slot in self.slots and self.began - SECONDS_BEFORE <= at <= self.ended
