"""The network and the mounts of a container, which live on when its program ends: on AWS they are the task's.

Open descriptors keep them. They must never outlive the fake AWS, which holds them: no process of theirs is needed.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Namespaces:
    """The namespaces of a process that has moved into its own; `close` lets them end with their last process."""

    def __init__(self, pid: int) -> None:
        self._open = tuple(
            os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("net", "mnt")
        )
        self._lock = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[tuple[int, ...]]:
        """Descriptors of the network and of the mounts for the time of the block; none once they are closed."""
        with self._lock:
            own = tuple(os.dup(one) for one in self._open)
        try:
            yield own
        finally:
            for one in own:
                os.close(one)

    def close(self) -> None:
        """Let them go, once and for all."""
        with self._lock:
            for one in self._open:
                os.close(one)
            self._open = ()
