"""Failures of the fake Route 53, which a scenario switches on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.state_files import write_json

THROTTLED = {"Code": "Throttling", "Message": "Rate exceeded", "Status": 400}
"""What Route 53 says to an account with more than five requests a second."""


def path(run_dir: Path) -> Path:
    """The file that the fake Route 53 reads before each change."""
    return run_dir / "route53_fault.json"


@contextmanager
def throttled(run_dir: Path) -> Iterator[None]:
    """Refuse every ChangeResourceRecordSets for the time of the block."""
    write_json(path(run_dir), THROTTLED)
    try:
        yield
    finally:
        path(run_dir).unlink()
