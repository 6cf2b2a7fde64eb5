"""A pytest plugin: which tests pytest-xdist runs in one process, and in which order tests of the lab begin.

A file's tests share what they made, so a file stays in one process. Files of `SHARED_LAB` are one, and a suite is
alone, as it has a lab of its own. (xdist's own groups need a mark, which xdist 3.8 does not see with pytest 9.2.)
"""

from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

SHARED_LAB = ("test_cli", "test_runbook", "test_detection", "test_up", "test_rueidis")
"""Files whose tests share a lab, in their order: the last but one destroys and deploys what is in it, the last one
deploys more into it."""
LONGEST = (
    *("test_resync", "test_deploy", "test_short_faults_keep_their_limits", "test_main"),
    *("test_conformance", "test_web", "test_shared", "test_lifetime", "test_deployments"),
    *("test_deterministic", "test_soak", "test_synth_command"),
)
"""Tests and files that begin early, as little runs beside the last one."""


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Sends the tests of a group to one process."""

    def _split_scope(self, nodeid: str) -> str:
        path = PurePosixPath(nodeid.partition("::")[0])
        if path.stem in SHARED_LAB and "lab" in path.parts:
            return "shared lab"
        return nodeid if path.stem == "test_suites" else str(path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:  # noqa: ANN401 - xdist's Producer
    """Takes the place of xdist's own."""
    config.option.loadscopereorder = False
    return Scheduler(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the shared lab first, then the longest tests; comes after pytest-randomly, which shuffles them."""
    items.sort(key=_place)


def uses_shared_lab(item: pytest.Item | None) -> bool:
    """Whether a test's file shares a lab."""
    return item is not None and item.path.stem in SHARED_LAB and "lab" in item.path.parts


def _place(item: pytest.Item) -> tuple[bool, int]:
    if uses_shared_lab(item):
        return False, SHARED_LAB.index(item.path.stem)
    names = (item.path.stem, item.name.partition("[")[0])
    return True, min((LONGEST.index(one) for one in names if one in LONGEST), default=len(LONGEST))
