"""The ways to a node that are compared. Each proxy runs in a container of its own in the proxy VPC, as the task does.

It must never give one way a shorter path than another: each leg is one cable (lab.bench.setup.veth).
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab import layout
from lab.bench.setup import veth as cables
from lab.bench.setup.site import Site
from lab.containers.container import ContainerSpec
from lab.containers.runtime import Runtime
from nodeway.haproxy.render import START_COMMAND, SharedSpec, render_shared

DIRECT, AGAIN, KERNEL, HAPROXY, ENVOY, SNI = (
    *("direct", "direct again", "kernel forwarding"),
    *("HAProxy per node", "Envoy", "HAProxy by SNI"),
)
NO_SUBSCRIBE = "Envoy's redis_proxy knows no SUBSCRIBE"
OPEN_FILES = 20_000
START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Variant:
    """A way: where the client dials, and the processes that relay (none: the kernel, or nobody)."""

    name: str
    addresses: tuple[str, ...]
    """For each shard; one for all may be there several times."""
    pids: tuple[int, ...] = ()
    kind: str = ""
    """Whose counters it has: haproxy or envoy."""
    kb: int = 0
    """The proxy's own memory before the first crowd came."""
    spins: bool = False
    """It takes a core even when there is nothing to do, so it sleeps while others are measured."""
    cannot: Mapping[str, str] = field(default_factory=dict)
    """Loads that it cannot carry, with the reason."""

    @property
    def address(self) -> str:
        """Where the client of the first shard dials."""
        return self.addresses[0]


class Yard:
    """Starts the containers of the benchmark, beside those of the deploy."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._run_dir = site.world.run_dir / "bench"
        self._run_dir.mkdir(exist_ok=True)
        authority = self._run_dir / "ca.pem"
        authority.unlink(missing_ok=True)
        authority.symlink_to(site.world.run_dir / "ca.pem")
        self._runtime = Runtime(self._run_dir)
        self._started = 0

    def start(
        self, name: str, image: str, shell: str, environment: Mapping[str, str]
    ) -> tuple[str, int]:
        """A container that runs a line of shell; gives its address and its process id."""
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
        cables.by(self._site, pid, address)
        return address, pid


def render(template: str, **values: object) -> str:
    """A configuration's text; a value that is missing is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parents[1]),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


HAPROXY_IMAGE = "public.ecr.aws/docker/library/haproxy:bench"
ENVOY_IMAGE = "docker.io/envoyproxy/envoy:bench"


def direct(site: Site, name: str) -> Variant:
    """No hop at all."""
    return Variant(name, tuple(shard.node.address for shard in site.shards))


def kernel(yard: Yard, site: Site) -> Variant:
    """A container for each node in which the kernel rewrites and forwards: what any hop costs at the least."""
    return Variant(KERNEL, tuple(_forwarded(yard, shard.node.address) for shard in site.shards))


def _forwarded(yard: Yard, node: str) -> str:
    address, pid = yard.start("kernel", HAPROXY_IMAGE, "exec sleep infinity", {})
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


def envoy(yard: Yard, site: Site, name: str = ENVOY, flush_bytes: int = 0) -> Variant:
    """Envoy's redis_proxy with one worker, TLS on both sides."""
    shell = 'exec envoy --config-yaml "$ENVOY" --concurrency 1 --log-level warning --use-dynamic-base-id'
    text = render(
        "envoy.yaml.j2",
        port=layout.PORT,
        endpoint=layout.CONFIGURATION_ENDPOINT,
        address="0.0.0.0",
        flush_bytes=flush_bytes,
    )
    pem = (site.world.run_dir / "node.pem").read_text()
    address, pid = yard.start("envoy", ENVOY_IMAGE, shell, {"ENVOY": text, "NODE_PEM": pem})
    everywhere = (address,) * len(site.shards)
    return Variant(name, everywhere, (pid,), "envoy", cannot={"fan-out": NO_SUBSCRIBE})


def envoy_batched(yard: Yard, site: Site) -> Variant:
    """Envoy that waits for more to write."""
    way = envoy(yard, site, "Envoy, writes batched", flush_bytes=1024)
    return replace(way, cannot={"unloaded": "each request waits 3 ms for others"})


def sni(yard: Yard, site: Site) -> Variant:
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
    address, pid = yard.start(
        "sni", HAPROXY_IMAGE, START_COMMAND, {"HAPROXY_CFG": render_shared(spec)}
    )
    return Variant(SNI, (address,) * len(site.shards), (pid,), "haproxy")


def deployed(site: Site) -> Variant:
    """The tasks of the deploy, as they are."""
    tasks = [shard.haproxy for shard in site.shards]
    for task in tasks:
        cables.by(site, task.pid, task.address)
    addresses, pids = tuple(t.address for t in tasks), tuple(t.pid for t in tasks)
    return Variant(HAPROXY, addresses, pids, "haproxy")
