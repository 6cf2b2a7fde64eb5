"""Renders HAProxy's configuration, and has its start script. The only place that knows Jinja2; an undefined name is an
error, never an empty string.

The node's name is not in the text: HAProxy reads it from the environment variable NODE_HOSTNAME when it
starts, so that one text
serves every node of a cluster, and a stand-in task needs nothing but another value of that variable. A HAProxy that all
nodes share reads it in each client's TLS hello.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).resolve().parent
TEMPLATES = next(
    place for place in (HERE / "templates", HERE.parents[1] / "haproxy_templates") if place.is_dir()
)
"""Beside this file in an installed package, at the top of a checkout."""

START_COMMAND = (TEMPLATES / "start.sh").read_text()
"""For `/bin/sh -c`: says that HAProxy starts, tells its counters once a minute, and becomes HAProxy."""

IMAGE = "public.ecr.aws/docker/library/haproxy:2.8.25-alpine"

MEMORY_RESERVED_MIB = 96
"""HAProxy itself, the shell and the container agent."""
KIB_PER_SESSION = 48
"""A session's two 16 KiB buffers plus its kernel sockets; measured user memory alone is about 3 KiB when idle."""

OPEN_FILES_LIMIT = 2**20
"""What Linux lets one process have at most (fs.nr_open); a task that asks for more does not start."""
OPEN_FILES_OWN = 2 * 100 + 256
"""Descriptors beside the sessions': the checks, the ops port, the log, and a reserve."""


@dataclass(frozen=True, slots=True)
class ProxySpec:
    """What every HAProxy of one cluster is told.

    `client_cidrs`: who may connect; `port`: the cluster's own; `grace_seconds`: how long a stopping HAProxy still takes
    connections, while DNS moves away from it; `drain_seconds`: how long sessions may then live on.
    """

    client_cidrs: tuple[str, ...]
    port: int
    memory_mib: int
    grace_seconds: int
    drain_seconds: int
    resolver: str = "169.254.169.253"

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


@dataclass(frozen=True, slots=True)
class HaproxySpec(ProxySpec):
    """What one cluster's HAProxies share, each of which serves one node."""

    ca_file: str = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSpec(ProxySpec):
    """What a HAProxy that serves all nodes of a cluster is told.

    `nodes`: the known ones' names; `cache_cidrs`: the networks that any node may be in.
    """

    replication_group_id: str
    zone_name: str
    nodes: tuple[str, ...]
    cache_cidrs: tuple[str, ...]
    threads: int = 1

    @property
    def names(self) -> str:
        """The names that ElastiCache makes of the group's, as a regular expression: of nodes to come, too."""
        group, zone = self.replication_group_id, self.zone_name.replace(".", r"\.")
        return rf"(clustercfg|{group}(-[0-9]{{1,4}})?-[0-9]{{3}})\.{zone}"

    @property
    def other_names(self) -> tuple[str, ...]:
        """The known nodes that are called otherwise, as one may be that was there before its group."""
        return tuple(name for name in self.nodes if not re.fullmatch(self.names, name))


def render(spec: HaproxySpec) -> str:
    """The text for a HAProxy of one node; raises jinja2.UndefinedError for what the template wants and no spec has."""
    return _text("haproxy.cfg.j2", spec)


def render_shared(spec: SharedSpec) -> str:
    """The text for a HAProxy of all nodes; raises jinja2.UndefinedError in the same case."""
    return _text("shared.cfg.j2", spec)


def _text(template: str, spec: ProxySpec) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (HAProxy's configuration, not HTML; every value is checked by the config)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(spec=spec)
