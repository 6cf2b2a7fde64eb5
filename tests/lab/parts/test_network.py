import errno
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pyroute2 import IPRoute

from lab import layout
from lab.errors import LabError
from lab.host import network
from lab.host import resolv_conf as names
from lab.host import syscalls as linux
from lab.wait import wait_until
from tests.support.lab.room import Room, open_room

pytestmark = pytest.mark.lab

NODE = "10.30.1.11"
CONTAINER = "10.20.1.5"
PORT = 6379


@pytest.fixture(scope="module")
def networks(room: Room) -> Room:
    """A sandbox with the three networks, a node's address and a container."""
    room.call(build)
    return room


def build() -> dict[str, int]:
    networks = network.up(layout.run_dir())
    network.add_cache_address(NODE)
    network.add_cache_address("10.31.0.1")
    pid = container()
    network.join_proxy_vpc(pid, CONTAINER)
    (layout.run_dir() / "container").write_text(str(pid))
    return {"client": networks.client, "cache": networks.cache}


def container() -> int:
    """A process with a network of its own."""
    program = [
        sys.executable,
        "-m",
        "lab.host.namespace_holder",
        str(layout.run_dir() / "etc" / "container"),
    ]
    holder = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"ready\n"
    return holder.pid


def container_pid() -> int:
    return int((layout.run_dir() / "container").read_text())


def pid_of(name: str) -> int:
    networks = network.attach()
    pids = {"client": networks.client, "cache": networks.cache}
    return container_pid() if name == "container" else pids[name]


def dial(source: str, target: str, address: str) -> str:
    """Listen at an address in one network and connect from another: `connected`, or the error's name."""
    listener = linux.in_network_of(pid_of(target), lambda: socket.create_server((address, PORT)))

    def connect() -> str:
        try:
            with socket.create_connection((address, PORT), timeout=3) as connection:
                return f"connected from {connection.getsockname()[0]}"
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, repr(error))

    with listener:
        return linux.in_network_of(pid_of(source), connect)


def dial_with_route_added(source: str, target: str, address: str) -> str:
    def add() -> None:
        with IPRoute() as route:
            route.route("add", dst=str(layout.CACHE_VPC.cidr), gateway=network.CLIENT_ROUTER)

    linux.in_network_of(pid_of(source), add)
    return dial(source, target, address)


def test_client_has_no_route_to_the_cache(networks: Room) -> None:
    assert networks.call(dial, "client", "cache", NODE) == "ENETUNREACH"
    assert networks.call(dial, "client", "cache", "10.31.0.1") == "ENETUNREACH"
    assert networks.call(dial, "cache", "client", layout.CLIENT_ADDRESS) == "ENETUNREACH"


def test_client_reaches_the_proxies_and_they_see_its_address(networks: Room) -> None:
    assert (
        networks.call(dial, "client", "container", CONTAINER)
        == f"connected from {layout.CLIENT_ADDRESS}"
    )


def test_proxies_reach_the_cache(networks: Room) -> None:
    assert networks.call(dial, "container", "cache", NODE) == f"connected from {CONTAINER}"


def test_nobody_reaches_a_nodes_internal_address(networks: Room) -> None:
    assert not networks.call(dial, "container", "cache", "10.31.0.1").startswith("connected")


@pytest.mark.usefixtures("walls")
def test_the_router_refuses_even_a_client_with_a_route(run_dir: Path) -> None:
    with open_room(run_dir) as other:
        other.call(build)
        outcome = other.call(dial_with_route_added, "client", "cache", NODE)
    assert outcome in ("EACCES", "EHOSTUNREACH")


def test_commands_run_inside_with_the_vpcs_resolver(networks: Room) -> None:
    words = networks.call(prefix, "client")
    done = networks.run(*words, "sh", "-c", "cat /etc/resolv.conf; getent hosts localhost; pwd")
    assert f"nameserver {layout.RESOLVER}" in done.stdout
    assert "127.0.0.1" in done.stdout
    assert done.stdout.splitlines()[-1] == str(Path.cwd())


def prefix(name: network.VpcName) -> list[str]:
    return network.inside(name)


def devices() -> list[str]:
    with IPRoute() as route:
        return [link.get_attr("IFLA_IFNAME") for link in route.get_links()]


def join_and_leave() -> list[list[str]]:
    pid = container()
    before = set(devices())
    network.join_proxy_vpc(pid, "10.20.2.9")
    added = sorted(set(devices()) - before)
    subprocess.run(["kill", "-KILL", str(pid)], check=True)
    wait_until(lambda: not set(added) & set(devices()), timeout_seconds=30, what="the device to go")
    return [added, sorted(set(devices()) - before)]


def test_a_containers_device_goes_with_the_container(networks: Room) -> None:
    added, left = networks.call(join_and_leave)
    assert len(added) == 1
    assert left == []


def test_an_address_outside_of_the_proxy_vpc_is_refused() -> None:
    with pytest.raises(
        LabError, match=r"10\.30\.1\.11 is outside of the proxy VPC 10\.20\.0\.0/16"
    ):
        network.join_proxy_vpc(1, NODE)


def resolv_conf_behind_a_link(target: str) -> str:
    """An /etc whose resolv.conf leads elsewhere, as systemd-resolved and resolvconf make it."""
    run_dir = layout.run_dir()
    etc = run_dir / "fake-etc"
    etc.mkdir()
    (etc / "hosts").write_text("10.9.8.7 elsewhere\n")
    (etc / "resolv.conf").symlink_to(target)
    linux.unshare(linux.CLONE_NEWNS)
    linux.make_mounts_private()
    linux.mount(str(etc), "/etc", None, linux.MS_BIND)
    names.use_vpc_resolver(run_dir / "etc" / "linked")
    return Path("/etc/resolv.conf").read_text() + Path("/etc/hosts").read_text()


@pytest.mark.parametrize(
    "target",
    ["../run/systemd/resolve/stub-resolv.conf", "/run/no-such-directory/resolv.conf", "real.conf"],
)
@pytest.mark.usefixtures("walls")
def test_resolv_conf_may_be_a_link(target: str, run_dir: Path) -> None:
    with open_room(run_dir) as own:
        if target == "real.conf":
            (run_dir / "real.conf").write_text("nameserver 10.0.0.1\n")
            target = str(run_dir / "real.conf")
        text = own.call(resolv_conf_behind_a_link, target)
    assert f"nameserver {layout.RESOLVER}" in text
    assert "elsewhere" not in text


def bridge_address() -> str:
    """The gateway's link address, as its neighbours know it."""
    with IPRoute() as route:
        index = route.link_lookup(ifname=network.BRIDGE)[0]
        return str(route.get_links(index)[0].get_attr("IFLA_ADDRESS"))


def test_the_gateway_keeps_its_link_address_when_containers_come(networks: Room) -> None:
    """A bridge that takes its ports' lowest address would be lost to all who know the former one."""
    before = networks.call(bridge_address)
    for host in range(200, 206):
        networks.call(joined_by_a_sleeper, f"10.20.3.{host}")

    assert networks.call(bridge_address) == before == network.BRIDGE_MAC


def joined_by_a_sleeper(address: str) -> None:
    """One more container in the proxy VPC; it ends with its sandbox."""
    network.join_proxy_vpc(container(), address)
