"""The parameters of the resync."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nodeway_runtime.model.settings import Mode


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """How the resync writes the records.

    `pins`: names with fixed addresses. `approve`: the checksum of a plan that the guard refused and the user approves.
    `take_over`: whether names with another deployment's marker, or without one, are changed. `max_stand_ins`: the
    maximum number of stand-ins at a time.
    """

    resync: Mode = Mode.ON
    pins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    approve: str = ""
    take_over: bool = False
    max_stand_ins: int = 10

    def pins_in(self, zone_name: str) -> dict[str, list[str]]:
        """Returns the pins of names in this zone."""
        return {
            name: list(values)
            for name, values in self.pins.items()
            if name.endswith(f".{zone_name}")
        }
