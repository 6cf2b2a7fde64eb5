"""Keys in chosen slots: the file LAB_SLOT_KEYS has a hash tag for each slot, line by line."""

from dataclasses import dataclass
from pathlib import Path

SLOTS = 16384


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one client, so that clients never meet each other's values."""

    client: str
    tags: tuple[str, ...]

    @staticmethod
    def of(client: str, file: str | None) -> "Keys":
        """Without a file, only `any` can be asked for."""
        tags = tuple(Path(file).read_text(encoding="ascii").split()) if file else ()
        return Keys(client, tags)

    def any(self, suffix: str) -> str:
        """A key wherever it may lie."""
        return f"{self.client}:{suffix}"

    def at(self, slot: int, suffix: str) -> str:
        """A key that lies in this slot."""
        return f"{{{self.tags[slot]}}}:{self.client}:{suffix}"

    def spread(self, count: int, suffix: str) -> list[str]:
        """`count` keys in evenly spaced slots, and so in all shards."""
        return [self.at(number * SLOTS // count, f"{suffix}:{number}") for number in range(count)]
