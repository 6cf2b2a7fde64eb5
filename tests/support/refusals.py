"""What a synth reports of a wrong configuration."""

from typing import Any

import pytest

from nodeway.config.loader import load
from nodeway.errors import ConfigError
from nodeway.lookup.topology import load_topologies


def problems(context: dict[str, Any]) -> list[str]:
    """The problems of this context, which must be as many as the error's heading says."""
    with pytest.raises(ConfigError) as caught:
        load_topologies(load(context), context)
    heading, *lines = str(caught.value).splitlines()
    if not lines:
        return [heading]
    count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
    assert heading == f"environment {context['env']} has {count}:"
    return [line.removeprefix("  - ") for line in lines]
