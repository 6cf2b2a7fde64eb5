"""The lab's three networks and the router between them.

The client VPC and the cache VPC are network namespaces of their own; the proxy VPC is a bridge in the router, which
is the network namespace that `up` is called in: the sandbox's (lab.host.sandbox).
"""

import json
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Literal, TypeVar

from pyroute2 import IPRoute

from lab import layout
from lab.errors import LabError
from lab.host import resolv_conf as names
from lab.host import syscalls as linux

BRIDGE = "br-proxy"
BRIDGE_MAC = "02:00:0a:14:00:01"
CLIENT_ROUTER = str(layout.CLIENT_VPC.cidr[1])
CACHE_ROUTER = str(layout.CACHE_VPC.cidr[1])
PREFIX_LENGTH = 16

VpcName = Literal["client", "cache"]
T = TypeVar("T")

_holders: list[subprocess.Popen[bytes]] = []  # kept, or Python would warn that they still run


@dataclass(frozen=True, slots=True)
class Networks:
    """The processes that hold the namespaces; pids as seen inside the sandbox."""

    client: int
    cache: int


def up(run_dir: Path) -> Networks:
    """Build the networks; the caller is in the sandbox, and its network namespace becomes the router.

    Raises LabError when a namespace cannot be made.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    names.use_vpc_resolver(run_dir / "etc" / "router")
    networks = Networks(
        client=_hold(run_dir, "client"),
        cache=_hold(run_dir, "cache"),
    )
    _kernel_settings()
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    with IPRoute() as route:
        _bring_up(route, "lo")
        _add_address(route, "lo", layout.RESOLVER, 32)
        # left alone, a bridge takes the lowest address of its ports, and changes it under its neighbours' ARP entries
        route.link("add", ifname=BRIDGE, kind="bridge", address=BRIDGE_MAC)
        _add_address(route, BRIDGE, layout.PROXY_GATEWAY)
        _bring_up(route, BRIDGE)
        _connect(route, networks.client, "vpc-client", CLIENT_ROUTER)
        _connect(route, networks.cache, "vpc-cache", CACHE_ROUTER)
        _refuse(route, layout.CLIENT_VPC.cidr, layout.CACHE_VPC.cidr)
        _refuse(route, layout.CLIENT_VPC.cidr, layout.NODE_INTERNAL)
    linux.in_network_of(networks.client, _client_side)
    linux.in_network_of(networks.cache, _cache_side)
    (run_dir / "namespaces.json").write_text(json.dumps(asdict(networks)))
    return networks


def attach() -> Networks:
    """The networks of the lab that runs in `layout.run_dir()`; raises LabError when none does."""
    path = layout.run_dir() / "namespaces.json"
    try:
        return Networks(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise LabError(f"no lab is up ({path} does not exist): run `nodeway lab up`") from None


def inside(name: VpcName, *, directory: Path | None = None) -> list[str]:
    """The words before a command that run it in that VPC's network, with its name look-ups.

    The command starts in `directory` (default: the current one). For a caller inside the sandbox.
    """
    pid = getattr(attach(), name)
    return [
        *("nsenter", f"--net=/proc/{pid}/ns/net", f"--mount=/proc/{pid}/ns/mnt", "--"),
        # a change of the mount namespace resets the working directory to /
        *("env", f"--chdir={directory or Path.cwd()}"),
    ]


def in_network(name: VpcName, work: Callable[[], T]) -> T:
    """Do `work` in that VPC's network, in a thread of its own; sockets it makes stay there."""
    return linux.in_network_of(getattr(attach(), name), work)


def join_proxy_vpc(pid: int, address: str) -> None:
    """Give the network namespace of process `pid` an eth0 with `address` in the proxy VPC, and its default route.

    For any process in the router's network. The interface ends with the namespace. Raises LabError when the
    address is outside of the VPC.
    """
    if IPv4Address(address) not in layout.PROXY_VPC.cidr:
        raise LabError(f"address {address} is outside of the proxy VPC {layout.PROXY_VPC.cidr}")
    with IPRoute() as route:
        # a random name: the kernel lets go of a dead namespace's interface some time after its last process
        name = f"eni-{secrets.token_hex(5)}"
        _veth(route, name, pid)
        bridge = route.link_lookup(ifname=BRIDGE)
        if not bridge:
            raise LabError(
                f"no bridge {BRIDGE} here: join_proxy_vpc works in the router's network only"
            )
        index = route.link_lookup(ifname=name)[0]
        route.link("set", index=index, master=bridge[0], state="up")

    def container_side() -> None:
        _kernel_settings()
        with IPRoute() as own:
            _bring_up(own, "lo")
            _add_address(own, "eth0", address)
            _bring_up(own, "eth0")
            own.route("add", dst="default", gateway=layout.PROXY_GATEWAY)

    linux.in_network_of(pid, container_side)


def add_cache_address(address: str) -> None:
    """Give the cache VPC's network a node address (or an internal one, of 10.31.0.0/16), unless it has it already."""
    in_network("cache", lambda: _change_cache_address("replace", address))


def remove_cache_address(address: str) -> None:
    """Take a node's address away; packets to it are lost, as with a lost host."""
    in_network("cache", lambda: _change_cache_address("del", address))


def _change_cache_address(action: str, address: str) -> None:
    internal = IPv4Address(address) in layout.NODE_INTERNAL
    with IPRoute() as route:
        index = route.link_lookup(ifname="lo" if internal else "eth0")[0]
        prefix = 32 if internal else PREFIX_LENGTH
        route.addr(action, index=index, address=address, prefixlen=prefix)


def _hold(run_dir: Path, name: VpcName) -> int:
    """Start a process with namespaces of its own and wait until they are ready; gives its pid."""
    log = run_dir / "logs" / f"{name}-namespaces.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        holder = subprocess.Popen(
            [sys.executable, "-m", "lab.host.namespace_holder", str(run_dir / "etc" / name)],
            cwd=layout.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    _holders.append(holder)
    said = b""
    if holder.stdout is not None:
        with holder.stdout as output:
            said = output.readline()
    if said != b"ready\n":
        last = log.read_text().strip().rpartition("\n")[2]
        raise LabError(f"no namespaces could be made for the {name} VPC: {last}")
    return holder.pid


def _client_side() -> None:
    _kernel_settings()
    with IPRoute() as route:
        _bring_up(route, "lo")
        _add_address(route, "lo", layout.RESOLVER, 32)
        _add_address(route, "eth0", layout.CLIENT_ADDRESS)
        _bring_up(route, "eth0")
        route.route("add", dst=str(layout.PROXY_VPC.cidr), gateway=CLIENT_ROUTER)


def _cache_side() -> None:
    _kernel_settings()
    # the nodes' addresses come one by one, the first as a primary address: none may end with another
    Path("/proc/sys/net/ipv4/conf/all/promote_secondaries").write_text("1")
    with IPRoute() as route:
        _bring_up(route, "lo")
        _add_address(route, "eth0", str(layout.CACHE_VPC.cidr[2]))
        _bring_up(route, "eth0")
        route.route("add", dst=str(layout.PROXY_VPC.cidr), gateway=CACHE_ROUTER)


def _connect(route: IPRoute, pid: int, name: str, address: str) -> None:
    _veth(route, name, pid)
    _add_address(route, name, address)
    _bring_up(route, name)


def _veth(route: IPRoute, name: str, pid: int) -> None:
    route.link("add", ifname=name, kind="veth", peer={"ifname": "eth0", "net_ns_pid": pid})


def _add_address(route: IPRoute, name: str, address: str, prefix: int = PREFIX_LENGTH) -> None:
    route.addr(
        "add",
        index=route.link_lookup(ifname=name)[0],
        address=address,
        prefixlen=prefix,
    )


def _bring_up(route: IPRoute, name: str) -> None:
    route.link("set", index=route.link_lookup(ifname=name)[0], state="up")


def _refuse(route: IPRoute, one: IPv4Network, other: IPv4Network) -> None:
    """A second barrier: the router prohibits packets between two networks, whatever routes there are."""
    for source, target in ((one, other), (other, one)):
        route.rule(
            "add",
            priority=100,
            action="prohibit",
            src=str(source.network_address),
            src_len=source.prefixlen,
            dst=str(target.network_address),
            dst_len=target.prefixlen,
        )


def _kernel_settings() -> None:
    """Set where the calling thread's network differs from this machine's.

    No IPv6, so that there is one address family. TCP without pacing timers, as on Fargate and Amazon Linux, which use
    cubic; of the algorithms that a network namespace may choose, reno is the nearest.
    """
    Path("/proc/sys/net/ipv4/tcp_congestion_control").write_text("reno")
    for scope in ("all", "default"):
        switch = Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
        if switch.exists():
            switch.write_text("1")
