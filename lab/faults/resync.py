"""The resync that is down for a block."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab.deployment.product import Product, client

RESERVED = "ReservedConcurrentExecutions"


@contextmanager
def resync_paused(product: Product) -> Iterator[None]:
    """Sets the function's reserved concurrency to 0: Lambda throttles every invocation, and keeps its events.

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
