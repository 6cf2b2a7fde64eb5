"""The fixture of all tests of pages."""

from functools import partial

import pytest

from tests.support.pages.documents import CheckBlock, check_block


@pytest.fixture
def agrees(request: pytest.FixtureRequest) -> CheckBlock:
    """Compares a generated block of a page with what the code gives, or writes it with --update-golden."""
    return partial(check_block, update=bool(request.config.getoption("--update-golden")))
