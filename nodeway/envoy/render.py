"""Renders Envoy's configuration, and has its start script. An undefined name is an error, never an empty string."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent
START_SCRIPT = (TEMPLATES / "start.sh").read_text()
"""For `bash -c`: Envoy's image has bash, and nothing that speaks HTTP."""

RESP3_PORT_OFFSET = 1
"""The RESP3 listener's port is the next one after the RESP2 listener's."""

IMAGE = "docker.io/envoyproxy/envoy:v1.40.0"

MEMORY_RESERVED_MIB = 192
"""Envoy itself with its statistics, and the shell: 67 MiB when idle, and room for requests on their way."""
KIB_PER_CONNECTION = 64
"""A client's TLS, buffers and sockets; measured user memory alone is about 12 KiB when idle without TLS."""

ReadPolicy = Literal["primary", "prefer_primary", "replica", "prefer_replica", "any"]
READ_POLICIES: Mapping[ReadPolicy, str] = {
    "primary": "MASTER",
    "prefer_primary": "PREFER_MASTER",
    "replica": "REPLICA",
    "prefer_replica": "PREFER_REPLICA",
    "any": "ANY",
}
"""Envoy's words for them:
https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/redis_proxy/v3/redis_proxy.proto"""


@dataclass(frozen=True, slots=True)
class Iam:
    """How the task's role logs in: the replication group's id, and its Region."""

    cache_name: str
    region: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A port, and the protocol that its clients speak; a client of the other one is refused."""

    name: str
    port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class EnvoySpec:
    """What one cluster's Envoys share.

    `endpoint` and `port`: the cluster's configuration endpoint; `downstream_passwords`, `upstream_password`: names of
    environment variables, never the passwords.
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
        """Where reads go, in Envoy's words."""
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
        """Clients that fit the task's memory."""
        return max(100, (self.memory_mib - MEMORY_RESERVED_MIB) * 1024 // KIB_PER_CONNECTION)

    @property
    def open_files(self) -> int:
        """File descriptors: one a client, those to the nodes, and some of Envoy's own."""
        return self.max_connections + 4096


def render(spec: EnvoySpec) -> str:
    """The configuration's text; raises jinja2.UndefinedError when the template asks for what the spec has not."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (Envoy's configuration, not HTML; every value is checked by the config)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("envoy.yaml.j2").render(spec=spec)
