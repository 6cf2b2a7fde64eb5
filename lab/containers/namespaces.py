"""The network and the mounts of a container, which outlive its program: on AWS they are the task's.

Open descriptors of the fake AWS keep them alive, without a process.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Namespaces:
    """The namespaces of a process; after `close` they end with their last process."""

    def __init__(self, pid: int) -> None:
        self._open = tuple(
            os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("net", "mnt")
        )
        self._lock = threading.Lock()

    @contextmanager
    def descriptors(self) -> Iterator[tuple[int, ...]]:
        """Descriptors of the network and of the mounts for the time of the block; none once they are closed."""
        with self._lock:
            own = tuple(os.dup(one) for one in self._open)
        try:
            yield own
        finally:
            for one in own:
                os.close(one)

    def close(self) -> None:
        """Close the descriptors for good."""
        with self._lock:
            for one in self._open:
                os.close(one)
            self._open = ()
