"""Renders HAProxy's configuration, and holds its start script.

One text serves every node of a cluster, and stand-ins too: HAProxy reads the node's name from the environment variable
NODE_HOSTNAME when it starts. A shared HAProxy reads it from the SNI of each connection.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from nodeway.templates import render_template

HERE = Path(__file__).resolve().parent
TEMPLATES = next(
    place for place in (HERE / "templates", HERE.parents[1] / "haproxy_templates") if place.is_dir()
)
"""Beside this file in an installed package, at the top of a checkout."""

START_COMMAND = (TEMPLATES / "start.sh").read_text()
"""For `/bin/sh -c`: logs the start, logs the counters once a minute, and executes HAProxy."""

IMAGE = "public.ecr.aws/docker/library/haproxy:2.8.25-alpine"

MEMORY_RESERVED_MIB = 96
"""Memory of HAProxy itself, the shell and the container agent."""
KIB_PER_SESSION = 48
"""Two buffers of 16 KiB and the kernel's sockets. An idle session uses about 3 KiB of user memory (measured)."""

OPEN_FILES_LIMIT = 2**20
"""Linux's limit for a process (fs.nr_open). A task with a higher ulimit does not start."""
OPEN_FILES_OWN = 2 * 100 + 256
"""Descriptors for health checks, the ops port and the log, and a reserve."""


@dataclass(frozen=True, slots=True)
class ProxySpec:
    """The parameters of any HAProxy.

    `client_cidrs`: ranges that may connect. `port`: the cluster's port. `grace_seconds`: time for which a stopping
    HAProxy still accepts connections, while DNS moves away from it. `drain_seconds`: time that sessions then have to
    end.
    """

    client_cidrs: tuple[str, ...]
    port: int
    memory_mib: int
    grace_seconds: int
    drain_seconds: int
    resolver: str = "169.254.169.253"

    @property
    def maxconn(self) -> int:
        """The maximum of sessions, by the task's memory and the limit of open files."""
        by_memory = (self.memory_mib - MEMORY_RESERVED_MIB) * 1024 // KIB_PER_SESSION
        return max(100, min(by_memory, (OPEN_FILES_LIMIT - OPEN_FILES_OWN) // 2))

    @property
    def open_files(self) -> int:
        """File descriptors: two for each session, and OPEN_FILES_OWN. HAProxy does not start with fewer."""
        return 2 * self.maxconn + OPEN_FILES_OWN


@dataclass(frozen=True, slots=True)
class HaproxySpec(ProxySpec):
    """The parameters of HAProxies that serve one node each. They are equal for all nodes of a cluster."""

    ca_file: str = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSpec(ProxySpec):
    """The parameters of a HAProxy that serves all nodes of a cluster.

    `nodes`: the names of the known nodes. `cache_cidrs`: the networks that it may connect to.
    """

    replication_group_id: str
    zone_name: str
    nodes: tuple[str, ...]
    cache_cidrs: tuple[str, ...]
    threads: int = 1

    @property
    def names(self) -> str:
        """A regular expression of all names that ElastiCache derives from the group's id, also for new nodes."""
        group, zone = self.replication_group_id, self.zone_name.replace(".", r"\.")
        return rf"(clustercfg|{group}(-[0-9]{{1,4}})?-[0-9]{{3}})\.{zone}"

    @property
    def other_names(self) -> tuple[str, ...]:
        """The known nodes with other names: a node can be older than its group."""
        return tuple(name for name in self.nodes if not re.fullmatch(self.names, name))


def render(spec: HaproxySpec) -> str:
    """Renders the configuration of a HAProxy for one node."""
    return render_template(TEMPLATES, "haproxy.cfg.j2", spec)


def render_shared(spec: SharedSpec) -> str:
    """Renders the configuration of a HAProxy for all nodes."""
    return render_template(TEMPLATES, "shared.cfg.j2", spec)
