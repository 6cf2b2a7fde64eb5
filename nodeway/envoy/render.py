"""Renders Envoy's configuration, and holds its start script."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from nodeway.templates import render_template

TEMPLATES = Path(__file__).parent
START_SCRIPT = (TEMPLATES / "start.sh").read_text()
"""For `bash -c`. Envoy's image has bash, but no HTTP client."""

RESP3_PORT_OFFSET = 1
"""Distance of the RESP3 listener's port from the RESP2 listener's."""

IMAGE = "docker.io/envoyproxy/envoy:v1.40.0"

MEMORY_RESERVED_MIB = 192
"""Memory of Envoy itself and the shell (67 MiB when idle), and of requests in progress."""
KIB_PER_CONNECTION = 64
"""TLS, buffers and sockets of a client. An idle connection uses about 12 KiB of user memory without TLS (measured)."""

ReadPolicy = Literal["primary", "prefer_primary", "replica", "prefer_replica", "any"]
READ_POLICIES: Mapping[ReadPolicy, str] = {
    "primary": "MASTER",
    "prefer_primary": "PREFER_MASTER",
    "replica": "REPLICA",
    "prefer_replica": "PREFER_REPLICA",
    "any": "ANY",
}
"""Envoy's names of the policies:
https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/redis_proxy/v3/redis_proxy.proto"""


@dataclass(frozen=True, slots=True)
class Iam:
    """The cache for which the task's role signs its IAM login: the replication group's id and Region."""

    cache_name: str
    region: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A port for clients of one protocol. Clients of the other protocol are refused."""

    name: str
    port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class EnvoySpec:
    """The parameters of one cluster's Envoys.

    `endpoint` and `port` are those of the cluster's configuration endpoint. `downstream_passwords` and
    `upstream_password` are names of environment variables.
    """

    endpoint: str
    port: int
    memory_mib: int
    downstream_passwords: tuple[str, ...]
    downstream_username: str = ""
    downstream_tls: bool = False
    upstream_username: str = ""
    upstream_password: str = ""
    upstream_tls: bool = True
    iam: Iam | None = None
    reads: ReadPolicy = "primary"
    op_timeout_seconds: int = 5
    ca_file: str = "/etc/ssl/certs/ca-certificates.crt"

    ADMIN_PORT: ClassVar[int] = 9901

    @property
    def read_policy(self) -> str:
        """Envoy's name of the read policy."""
        return READ_POLICIES[self.reads]

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """RESP2 on the cluster's own port, RESP3 on the next."""
        return (
            Listener("resp2", self.port, "RESP2"),
            Listener("resp3", self.port + RESP3_PORT_OFFSET, "RESP3"),
        )

    @property
    def max_connections(self) -> int:
        """The maximum of client connections, by the task's memory."""
        return max(100, (self.memory_mib - MEMORY_RESERVED_MIB) * 1024 // KIB_PER_CONNECTION)

    @property
    def open_files(self) -> int:
        """File descriptors: one for each client, and 4096 for connections to nodes and Envoy itself."""
        return self.max_connections + 4096


def render(spec: EnvoySpec) -> str:
    """Renders the configuration."""
    return render_template(TEMPLATES, "envoy.yaml.j2", spec)
