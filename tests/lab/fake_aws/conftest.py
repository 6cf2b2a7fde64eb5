"""The account of a module's tests."""

import pytest

from tests.support.lab.account import start_account
from tests.support.lab.room import Room


@pytest.fixture(scope="module")
def account(room: Room) -> Room:
    """A sandbox with the fake AWS in it."""
    room.call(start_account)
    return room
