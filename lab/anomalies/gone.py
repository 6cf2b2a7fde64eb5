"""The resync that is down, and the HAProxy that is gone with its host. Neither may outlast its block unnoticed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import containers
from lab.errors import LabError
from lab.product import Product, client

RESERVED = "ReservedConcurrentExecutions"


@contextmanager
def resync_paused(product: Product) -> Iterator[None]:
    """The function may not run: Lambda throttles every invocation, and keeps its events.

    A run that has begun goes on to its end, as on AWS.
    """
    functions, name = client("lambda"), product.outputs["ResyncFunction"]
    before = functions.get_function_concurrency(FunctionName=name).get(RESERVED)
    functions.put_function_concurrency(FunctionName=name, **{RESERVED: 0})
    try:
        yield
    finally:
        if before is None:
            functions.delete_function_concurrency(FunctionName=name)
        else:
            functions.put_function_concurrency(FunctionName=name, **{RESERVED: before})


def lose(run_dir: Path, address: str) -> None:
    """The host of the HAProxy with this address is gone, its network too; raises LabError when none has it."""
    for container in containers.running(run_dir):
        if container.address == address:
            containers.lose(run_dir, container)
            return
    raise LabError(f"no HAProxy has the address {address}")
