"""The variants of a path to the nodes that are compared; each proxy runs in a container of its own in the proxy VPC."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab import layout
from lab.bench.setup import veth
from lab.bench.setup.testbed import Testbed
from lab.containers.container import ContainerSpec
from lab.containers.runtime import Runtime
from nodeway.haproxy.render import START_COMMAND, SharedSpec, render_shared

DIRECT, AGAIN, KERNEL, HAPROXY, ENVOY, SNI = (
    *("direct", "direct again", "kernel forwarding"),
    *("HAProxy per node", "Envoy", "HAProxy by SNI"),
)
NO_SUBSCRIBE = "Envoy's redis_proxy knows no SUBSCRIBE"
HAPROXY_IMAGE = "public.ecr.aws/docker/library/haproxy:bench"
ENVOY_IMAGE = "docker.io/envoyproxy/envoy:bench"
OPEN_FILES = 20_000


@dataclass(frozen=True, slots=True)
class Variant:
    """A path to the nodes: where the client connects, and the processes that relay (none for direct and the kernel)."""

    name: str
    addresses: tuple[str, ...]
    """An address for each shard; all are equal where one proxy serves all shards."""
    pids: tuple[int, ...] = ()
    kind: str = ""
    """Whose counters the processes have: haproxy or envoy."""
    idle_kib: int = 0
    """Private memory of the processes before their first load."""
    spins: bool = False
    """Takes a core even when idle, so it is stopped while others are measured."""
    unsupported: Mapping[str, str] = field(default_factory=dict)
    """Loads that it cannot carry, with the reason."""

    @property
    def address(self) -> str:
        """Where the client of the first shard connects."""
        return self.addresses[0]


class ProxyContainers:
    """Starts the benchmark's own containers beside those of the deploy."""

    def __init__(self, testbed: Testbed) -> None:
        self._testbed = testbed
        self._run_dir = testbed.world.run_dir / "bench"
        self._run_dir.mkdir(exist_ok=True)
        authority = self._run_dir / "ca.pem"
        authority.unlink(missing_ok=True)
        authority.symlink_to(testbed.ca_file)
        self._runtime = Runtime(self._run_dir)
        self._started = 0

    def start(
        self, name: str, image: str, shell: str, environment: Mapping[str, str]
    ) -> tuple[str, int]:
        """Starts a container that runs a line of shell; gives its address and its process id."""
        self._started += 1
        address = str(layout.PROXY_VPC.cidr[(250 << 8) + self._started])
        spec = ContainerSpec(
            task_id=f"bench-{self._started}",
            name=name,
            image=image,
            argv=("/bin/sh", "-c", shell),
            environment={**environment, "BENCH_ADDRESS": address},
            address=address,
            ulimits=({"name": "nofile", "softLimit": OPEN_FILES, "hardLimit": OPEN_FILES},),
            volumes=(),
            read_only_root=False,
            drop_all_capabilities=False,
            stop_timeout_seconds=1,
        )
        pid = self._runtime.run(spec).pid
        veth.connect_container(self._testbed, pid, address)
        return address, pid


def direct(testbed: Testbed, name: str) -> Variant:
    """No proxy."""
    return Variant(name, tuple(shard.node.address for shard in testbed.shards))


def kernel(starter: ProxyContainers, testbed: Testbed) -> Variant:
    """A container for each node in which the kernel rewrites addresses and forwards: the least that a hop costs."""
    addresses = tuple(_forward(starter, shard.node.address) for shard in testbed.shards)
    return Variant(KERNEL, addresses)


def _forward(starter: ProxyContainers, node: str) -> str:
    address, pid = starter.start("kernel", HAPROXY_IMAGE, "exec sleep infinity", {})
    rules = f"""\
table ip bench {{
  chain in {{
    type nat hook prerouting priority dstnat;
    ip daddr {address} tcp dport {layout.PORT} dnat to {node}
  }}
  chain out {{
    type nat hook postrouting priority srcnat;
    masquerade
  }}
}}
"""
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]
    forwarding = ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]
    subprocess.run([*inside, *forwarding], check=True)
    subprocess.run([*inside, "nft", "-f", "-"], input=rules, text=True, check=True)
    return address


def envoy(
    starter: ProxyContainers, testbed: Testbed, name: str = ENVOY, flush_bytes: int = 0
) -> Variant:
    """Envoy's redis_proxy with one worker, TLS on both sides."""
    shell = 'exec envoy --config-yaml "$ENVOY" --concurrency 1 --log-level warning --use-dynamic-base-id'
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parents[1]),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("envoy.yaml.j2").render(
        port=layout.PORT,
        endpoint=layout.CONFIGURATION_ENDPOINT,
        address="0.0.0.0",
        flush_bytes=flush_bytes,
    )
    pem = (testbed.world.run_dir / "node.pem").read_text()
    address, pid = starter.start("envoy", ENVOY_IMAGE, shell, {"ENVOY": text, "NODE_PEM": pem})
    addresses = (address,) * len(testbed.shards)
    return Variant(name, addresses, (pid,), "envoy", unsupported={"fan-out": NO_SUBSCRIBE})


def envoy_batched(starter: ProxyContainers, testbed: Testbed) -> Variant:
    """Envoy that batches writes: up to 1024 bytes or 3 ms."""
    variant = envoy(starter, testbed, "Envoy, writes batched", flush_bytes=1024)
    return replace(variant, unsupported={"unloaded": "each request waits 3 ms for others"})


def sni(starter: ProxyContainers, testbed: Testbed) -> Variant:
    """One HAProxy for all nodes, as `proxy: shared` has it."""
    spec = SharedSpec(
        client_cidrs=(str(layout.CLIENT_VPC.cidr),),
        port=layout.PORT,
        memory_mib=512,
        grace_seconds=1,
        drain_seconds=1,
        replication_group_id=layout.REPLICATION_GROUP,
        zone_name=layout.ZONE,
        nodes=(),
        cache_cidrs=(str(layout.CACHE_VPC.cidr),),
    )
    variables = {"HAPROXY_CFG": render_shared(spec)}
    address, pid = starter.start("sni", HAPROXY_IMAGE, START_COMMAND, variables)
    return Variant(SNI, (address,) * len(testbed.shards), (pid,), "haproxy")


def deployed(testbed: Testbed) -> Variant:
    """The tasks of the deploy, as they are."""
    tasks = [shard.haproxy for shard in testbed.shards]
    for task in tasks:
        veth.connect_container(testbed, task.pid, task.address)
    addresses, pids = tuple(t.address for t in tasks), tuple(t.pid for t in tasks)
    return Variant(HAPROXY, addresses, pids, "haproxy")
