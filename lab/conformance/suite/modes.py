"""The ways to the cluster that clients are tried in: in a few words, and which of its proxies are killed.

How each is deployed and what its clients are told is lab.deployment.modes's. It must never treat one way as easier
than another.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from lab import layout
from lab.deployment import modes as ways
from lab.deployment.product import FLEETS, Product
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.nodes import primary

ENVOYS, SHARED = FLEETS
SHARD = "0003"
"""The shard whose HAProxy is killed."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way."""

    lab: ways.Way
    what: str
    """For the page."""
    output: str
    """What nodeway/constructs/records/zone.py calls it in the output ClientSettings; empty where another way has
    said it."""
    proxies: Callable[[World], Sequence[str]]
    """Addresses of proxies: when they are killed one after the other, every client loses one that it uses."""

    @property
    def name(self) -> str:
        """As LAB_WAY has it."""
        return self.lab.value

    def deployed_by(self, other: "Way | None") -> bool:
        """Whether the other way's deploy is this one's too: Envoy's two listeners are of the same tasks."""
        return other is not None and self.lab.by_envoy and other.lab.by_envoy


def _of_a_primary(world: World) -> Sequence[str]:
    return Product().records()[primary(world, SHARD).hostname]


def _envoys(_: World) -> Sequence[str]:
    return Product(ENVOYS).records()[layout.ENVOY_ENDPOINT]


def _shared(_: World) -> Sequence[str]:
    return Product(SHARED).records()[f"*.{layout.ZONE}"]


WAYS: tuple[Way, ...] = (
    Way(
        ways.Way.PER_NODE,
        "one HAProxy for each node, behind the node's own name",
        "per-node",
        _of_a_primary,
    ),
    Way(ways.Way.ENVOY_RESP2, "Envoy's Redis filter, its RESP2 listener", "envoy", _envoys),
    Way(ways.Way.ENVOY_RESP3, "Envoy's Redis filter, its RESP3 listener", "", _envoys),
    Way(
        ways.Way.SHARED,
        "two HAProxies for all nodes, by the name in the TLS hello",
        "shared",
        _shared,
    ),
)
"""In the order in which they are played: the last one's stacks replace the first one's."""


def chosen(names: Collection[str]) -> tuple[Way, ...]:
    """The ways of these names, or all; raises LabError for a name that there is not."""
    there = [way.name for way in WAYS]
    for name in names:
        if name not in there:
            msg = f"no way {name!r}; there are {', '.join(there)}"
            raise LabError(msg)
    return tuple(way for way in WAYS if not names or way.name in names)
