"""How a scenario tells the fake Route 53 to refuse changes; it must never outlast its block."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.state_files import write_json

THROTTLED = {"Code": "Throttling", "Message": "Rate exceeded", "Status": 400}
"""What Route 53 says to an account with more than five requests a second."""


def path(run_dir: Path) -> Path:
    """The file that the fake Route 53 looks at before each change."""
    return run_dir / "route53_fault.json"


@contextmanager
def throttled(run_dir: Path) -> Iterator[None]:
    """Every ChangeResourceRecordSets is refused."""
    write_json(path(run_dir), THROTTLED)
    try:
        yield
    finally:
        path(run_dir).unlink()
