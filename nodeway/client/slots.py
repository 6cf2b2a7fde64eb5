"""Keys of a given slot, by their hash tag."""

import binascii
import itertools
from functools import cache

SLOTS = 16384
STRIDE = 4099
"""A step through a range of slots. It is prime, so that every slot has its turn, and soon one of each region."""


def slot_of(tag: str) -> int:
    """Returns the slot of every key with this hash tag: CRC16 (XMODEM) modulo 16384.

    https://valkey.io/topics/cluster-spec/
    """
    return binascii.crc_hqx(tag.encode(), 0) % SLOTS


@cache
def hash_tags() -> tuple[str, ...]:
    """Returns a hash tag for each slot: the smallest number of which the text has this slot."""
    by_slot: dict[int, str] = {}
    for number in itertools.count():
        by_slot.setdefault(slot_of(str(number)), str(number))
        if len(by_slot) == SLOTS:
            return tuple(by_slot[slot] for slot in range(SLOTS))
    raise AssertionError  # count() has no end


def slot_range(number: int, of: int) -> range:
    """Returns the contiguous range of slots with this number, of `of` ranges that together are all slots."""
    return range(number * SLOTS // of, (number + 1) * SLOTS // of)


def slot_in(slots: range, sequence: int) -> int:
    """Returns the slot of the write with this number, such that every slot has its turn."""
    return slots[sequence * STRIDE % len(slots)]
