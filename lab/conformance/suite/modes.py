"""The access modes that clients are tried in, with their words on the page."""

from collections.abc import Collection, Mapping

from lab.deployment.modes import AccessMode
from lab.errors import LabError

DESCRIPTIONS: Mapping[AccessMode, str] = {
    AccessMode.PER_NODE: "one HAProxy for each node, behind the node's own name",
    AccessMode.ENVOY_RESP2: "Envoy's Redis filter, its RESP2 listener",
    AccessMode.ENVOY_RESP3: "Envoy's Redis filter, its RESP3 listener",
    AccessMode.SHARED: "two HAProxies for all nodes, by the SNI",
}
"""In the order of the page."""
ANCHORS: Mapping[AccessMode, str] = {
    AccessMode.PER_NODE: "per-node",
    AccessMode.ENVOY_RESP2: "envoy",
    AccessMode.SHARED: "shared",
}
"""Where the page's sections begin that a deployment's output ClientSettings links to (constructs/records/zone.py)."""


def select_modes(names: Collection[str]) -> tuple[AccessMode, ...]:
    """The modes of these names, or all; raises LabError for an unknown name."""
    for name in names:
        if name not in DESCRIPTIONS:
            raise LabError(f"no way {name!r}; there are {', '.join(DESCRIPTIONS)}")
    return tuple(mode for mode in DESCRIPTIONS if not names or mode in names)
