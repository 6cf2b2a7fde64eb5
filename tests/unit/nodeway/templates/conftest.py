"""Fixtures of the tests of proxies' templates."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs.haproxies import Running, running


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Running]:
    """The HAProxy of a node that is up."""
    with running(tmp_path) as haproxy:
        yield haproxy
