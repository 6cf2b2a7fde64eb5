"""What the records are kept with: values, so that no construct needs an environment's whole configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nodeway_runtime.model.settings import Mode


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """How the resync keeps the records.

    `pins`: names that keep these addresses. `approve`: the checksum of deletes
    that a person lets through. `take_over`: names with another deployment's marker, or none, become ours.
    `max_stand_ins`: how many stand-ins may run at once.
    """

    resync: Mode = Mode.ON
    pins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    approve: str = ""
    take_over: bool = False
    max_stand_ins: int = 10

    def pins_in(self, zone_name: str) -> dict[str, list[str]]:
        """The pins whose names are in this zone."""
        return {
            name: list(values)
            for name, values in self.pins.items()
            if name.endswith(f".{zone_name}")
        }
