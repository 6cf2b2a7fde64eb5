"""A tripwire for the stacks that `dev` does not have: every change of one is read by a person.

`pytest --snapshot-update` takes a change over. What the stacks must do is said by other tests.
"""

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.support.synth.checks import without_hashes
from tests.support.synth.shapes import shape

REVIEWED = [
    ("made", "network"),
    ("made", "peering"),
    ("outside", "network"),
    ("direct", "peering"),
    ("accounts", "dns"),
]
"""A shape of docs/networks.md, and the stack in which it differs most from `dev`."""


@pytest.mark.parametrize(("name", "stack"), REVIEWED)
def test_template_of_a_network_is_as_reviewed(
    name: str, stack: str, snapshot: SnapshotAssertion
) -> None:
    template = without_hashes(shape(name).templates[stack])

    assert template == snapshot(name=f"{name}-{stack}", extension_class=JSONSnapshotExtension)
