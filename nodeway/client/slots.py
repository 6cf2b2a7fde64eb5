"""Keys that fall into a slot that one has chosen: by a hash tag, as any client may write them."""

import binascii
import itertools
from functools import cache

SLOTS = 16384
STRIDE = 4099
"""A prime, so that going through a part in such steps meets each of its slots, and soon all regions of it."""


def slot_of(tag: str) -> int:
    """The slot of every key with this hash tag: CRC16 (XMODEM) modulo 16384, as the cluster computes it."""
    return binascii.crc_hqx(tag.encode(), 0) % SLOTS


@cache
def tags() -> tuple[str, ...]:
    """For each slot the first number whose text falls into it."""
    found: dict[int, str] = {}
    for number in itertools.count():
        found.setdefault(slot_of(str(number)), str(number))
        if len(found) == SLOTS:
            return tuple(found[slot] for slot in range(SLOTS))
    raise AssertionError  # count() has no end


def part(number: int, of: int) -> range:
    """One of so many contiguous parts of the slots; together they are all of them."""
    return range(number * SLOTS // of, (number + 1) * SLOTS // of)


def slot_in(slots: range, sequence: int) -> int:
    """The slot of the n-th write that goes into these slots, each of which has its turn."""
    return slots[sequence * STRIDE % len(slots)]
