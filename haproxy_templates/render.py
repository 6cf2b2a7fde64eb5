"""Renders HAProxy's configuration. The only place that knows Jinja2; an undefined name is an error,
never an empty string.

The node's name is not in the text: HAProxy reads it from the environment variable NODE_HOSTNAME when it
starts, so that one text
serves every node of a cluster, and a stand-in task needs nothing but another value of that variable.
"""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent

START_COMMAND = "exec haproxy -db -f /dev/stdin <<CONFIGURATION\n$HAPROXY_CFG\nCONFIGURATION\n"
"""For `/bin/sh -c`: the configuration comes from an environment variable and goes to HAProxy by
standard input, so there is no image
build and no writable file; `exec` makes HAProxy the process that gets the stop signal."""

MEMORY_RESERVED_MIB = 96
"""HAProxy itself, the shell and the container agent."""
KIB_PER_SESSION = 48
"""A session's two 16 KiB buffers plus its kernel sockets; measured user memory alone is about 3 KiB when idle."""

OPEN_FILES_LIMIT = 2**20
"""What Linux lets one process have at most (fs.nr_open); a task that asks for more does not start."""
OPEN_FILES_OWN = 2 * 100 + 256
"""Descriptors beside the sessions': the checks, the ops port, the log, and a reserve."""


@dataclass(frozen=True, slots=True)
class HaproxySpec:
    """What one cluster's HAProxies share.

    `client_cidrs`: who may connect; `port`: the cluster's own; `grace_seconds`: how long a stopping HAProxy still takes
    connections, while DNS moves away from it; `drain_seconds`: how long sessions may then live on.
    """

    client_cidrs: tuple[str, ...]
    port: int
    memory_mib: int
    grace_seconds: int
    drain_seconds: int
    resolver: str = "169.254.169.253"
    ca_file: str = "/etc/ssl/certs/ca-certificates.crt"

    @property
    def maxconn(self) -> int:
        """Sessions that fit the task's memory and the files that a process can open."""
        by_memory = (self.memory_mib - MEMORY_RESERVED_MIB) * 1024 // KIB_PER_SESSION
        return max(100, min(by_memory, (OPEN_FILES_LIMIT - OPEN_FILES_OWN) // 2))

    @property
    def open_files(self) -> int:
        """File descriptors the process needs: two a session, and some of its own (HAProxy refuses to
        start with fewer).
        """
        return 2 * self.maxconn + OPEN_FILES_OWN


def render(spec: HaproxySpec) -> str:
    """The configuration's text; raises jinja2.UndefinedError when the template asks for what the spec has not."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (HAProxy's configuration, not HTML; every value is checked by the config)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("haproxy.cfg.j2").render(spec=spec)
