"""What all golden tests do: compare with the file, or write it anew."""

from collections.abc import Callable
from pathlib import Path

import pytest

AssertGolden = Callable[[str, Path], None]


@pytest.fixture
def assert_golden(request: pytest.FixtureRequest) -> AssertGolden:
    """A change of a template shows as a change of text, to be read by a person."""

    def check(text: str, golden: Path) -> None:
        if request.config.getoption("--update-golden"):
            golden.write_text(text)
        assert text == golden.read_text()

    return check
