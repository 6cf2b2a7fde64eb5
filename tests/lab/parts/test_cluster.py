import json
import os
import stat
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from lab import layout
from lab.cluster import certificates
from lab.cluster.cluster import Cluster, start
from lab.cluster.node import find_server
from lab.errors import LabError
from lab.host import network, programs, sandbox
from lab.wait import wait_until
from tests.support.lab.room import Room

pytestmark = pytest.mark.lab

CONTAINER = "10.20.1.5"
NOWHERE = subprocess.DEVNULL


@pytest.fixture(scope="module")
def cluster(room: Room) -> Room:
    """Networks, certificates, the cluster, resolvers without zones, and a client in the proxy VPC."""
    assert room.call(build) == ["0001", "0002", "0003"]
    return room


def build() -> list[str]:
    run_dir = layout.run_dir()
    network.up(run_dir)
    certificates.make(run_dir)
    primaries = start(run_dir, find_server()).primaries()
    without_zones = {k: v for k, v in os.environ.items() if k != "AWS_ENDPOINT_URL"}
    subprocess.Popen(
        [sys.executable, "-m", "lab.dns.server"],
        env=without_zones,
        start_new_session=True,
        stdout=NOWHERE,
        stderr=NOWHERE,
    )
    holder = [sys.executable, "-m", "lab.host.namespace_holder", str(run_dir / "etc" / "near")]
    near = subprocess.Popen(
        holder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert near.stdout is not None
    assert near.stdout.readline() == b"ready\n"
    network.join_proxy_vpc(near.pid, CONTAINER)
    (run_dir / "near").write_text(str(near.pid))
    asked = [*prefix("near"), "getent", "hosts", layout.CONFIGURATION_ENDPOINT]
    wait_until(
        lambda: subprocess.call(asked, stdout=NOWHERE, stderr=NOWHERE) == 0,
        timeout_seconds=60,
        what="the resolver",
    )
    return sorted(primaries)


def prefix(name: str) -> list[str]:
    """How to run a command in the client's network, or near the cache, from where it can be reached."""
    if name == "client":
        return network.inside("client")
    pid = (layout.run_dir() / "near").read_text()
    return [
        "nsenter",
        f"--net=/proc/{pid}/ns/net",
        f"--mount=/proc/{pid}/ns/mnt",
        "--",
        "env",
        f"--chdir={layout.ROOT}",
    ]


def client(room: Room, *words: str, where: str = "near") -> dict[str, Any]:
    """The lab's client program; what it prints."""
    argv = [*room.call(prefix, where), sys.executable, "-m", "nodeway.client", *words]
    done = room.run(*argv, **client_environment(room))
    assert done.stdout, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return {**figures, "exit code": done.returncode}


def api(room: Room) -> dict[str, tuple[str, bool]]:
    """Node name to its status and whether it has an endpoint, as the API would say."""
    said = json.loads((room.run_dir / "elasticache.json").read_text())
    return {
        c["CacheClusterId"]: (c["CacheClusterStatus"], "Endpoint" in c["CacheNodes"][0])
        for c in said["CacheClusters"]
    }


def test_a_client_with_the_right_ca_uses_every_node(cluster: Room) -> None:
    figures = client(cluster, "exercise")
    assert figures["exit code"] == 0, figures
    assert figures["slots_covered"] == 16384
    assert figures["nodes"] == len(figures["node_names"]) == 6
    assert all(name.endswith(f".{layout.ZONE}:{layout.PORT}") for name in figures["node_names"])
    assert figures["tls_verified"]
    assert figures["keys_written"] == figures["keys_read_back"] >= 10_000
    assert set(figures["commands"].values()) == {"ok"}


def test_a_client_with_a_wrong_ca_is_stopped_by_tls(cluster: Room) -> None:
    figures = client(cluster, "connect", "--ca", str(cluster.run_dir / "wrong-ca.pem"))
    assert not figures["ok"]
    assert "CERTIFICATE_VERIFY_FAILED" in figures["error"]


def test_a_client_with_a_wrong_password_is_refused(cluster: Room) -> None:
    figures = client(cluster, "connect", "--wrong-password", "--expect", "error")
    assert (figures["ok"], figures["exit code"]) == (False, 0)
    assert "invalid username-password pair" in figures["error"]
    assert client(cluster, "connect", "--wrong-password", "--expect", "ok")["exit code"] == 1


def test_the_clients_network_does_not_reach_the_cache(cluster: Room) -> None:
    figures = client(cluster, "connect", where="client")
    assert not figures["ok"]
    assert "Network is unreachable" in figures["error"]


def test_secrets_are_the_owners_and_on_no_command_line(cluster: Room) -> None:
    password = json.loads((cluster.run_dir / "credentials.json").read_text())["password"]
    for name in ("credentials.json", "node.pem", "nodes/demo-0001-001/valkey.conf"):
        assert stat.S_IMODE((cluster.run_dir / name).stat().st_mode) == 0o600
    shown = cluster.run("sh", "-c", "cat /proc/[0-9]*/cmdline").stdout
    assert "valkey" in shown or "redis" in shown
    assert password not in shown


def fail_over() -> list[str]:
    cluster = Cluster.attach(layout.run_dir())
    before = cluster.primaries()["0001"]
    after = cluster.failover("0001")
    return [before, after, cluster.primaries()["0001"]]


def test_failover_changes_the_primary(cluster: Room) -> None:
    before, after, seen = cluster.call(fail_over)
    assert before != after
    assert after == seen


def kill_and_recover() -> dict[str, Any]:
    cluster = Cluster.attach(layout.run_dir())
    killed = cluster.kill_primary("0002")
    follower = cluster.wait_for_primary("0002", other_than=killed)
    address = cluster.state.node(killed).address
    cluster.restart_node(killed, new_address=True)
    back = cluster.state.node(killed)
    return {
        "killed": killed,
        "follower": follower,
        "primary": cluster.primaries()["0002"],
        "moved": [address, back.address],
        "alive": back.alive,
    }


def test_a_killed_primary_is_followed_and_comes_back_at_another_address(cluster: Room) -> None:
    said = cluster.call(kill_and_recover)
    assert said["killed"] != said["follower"] == said["primary"]
    assert said["alive"]
    before, after = said["moved"]
    assert before != after
    public = json.loads((cluster.run_dir / "public_dns.json").read_text())
    assert public[f"{said['killed']}.{layout.ZONE}"] == [after]


def announce() -> str:
    return Cluster.attach(layout.run_dir()).announce_shard()


def scale_out(shard: str) -> int:
    cluster = Cluster.attach(layout.run_dir())
    cluster.bring_up_shard(shard)
    return cluster.move_slots(shard, 1000)


def scale_in(shard: str) -> list[str]:
    cluster = Cluster.attach(layout.run_dir())
    cluster.remove_shard(shard)
    return sorted(cluster.primaries())


def test_scale_out_under_load_and_scale_in(cluster: Room) -> None:
    shard = cluster.call(announce)
    new = [f"demo-{shard}-001", f"demo-{shard}-002"]
    assert [api(cluster)[name] for name in new] == [("creating", False)] * 2
    assert f"{new[0]}.{layout.ZONE}" not in json.loads(
        (cluster.run_dir / "public_dns.json").read_text()
    )

    stop, progress = cluster.run_dir / "stop", cluster.run_dir / "progress.json"
    words = ["load", "--until-file", str(stop), "--progress", str(progress), "--threads", "2"]
    with cluster_load(cluster, *words) as load:
        wait_until(lambda: acknowledged(progress) > 100, timeout_seconds=60, what="the load")
        assert cluster.call(scale_out, shard) == 1000
        assert [api(cluster)[name] for name in new] == [("available", True)] * 2
        assert cluster.call(scale_in, shard) == ["0001", "0002", "0003"]
        enough = acknowledged(progress) + 200
        wait_until(lambda: acknowledged(progress) > enough, timeout_seconds=60, what="more load")
        stop.touch()
        said, _ = load.communicate(timeout=60)
    figures = json.loads(said)
    assert figures["acknowledged"] > 300
    assert (figures["failed"], figures["lost_acknowledged"]) == (0, 0), figures
    assert set(new).isdisjoint(api(cluster))


def acknowledged(progress: Path) -> int:
    return int(json.loads(progress.read_text())["acknowledged"]) if progress.exists() else 0


def cluster_load(room: Room, *words: str) -> AbstractContextManager[subprocess.Popen[str]]:
    argv = [*room.call(prefix, "near"), sys.executable, "-m", "nodeway.client", *words]
    inside = sandbox.enter(room.sandbox.pid, argv, user_namespace=room.sandbox.user_namespace)
    environment = {**room.environment, **client_environment(room)}
    return programs.running(inside, env=environment, stdout=subprocess.PIPE)


def client_environment(room: Room) -> dict[str, str]:
    credentials = json.loads((room.run_dir / "credentials.json").read_text())
    return {
        "LAB_ENDPOINT": layout.CONFIGURATION_ENDPOINT,
        "LAB_PORT": str(layout.PORT),
        "LAB_CA_FILE": str(room.run_dir / "ca.pem"),
        "LAB_USERNAME": credentials["username"],
        "LAB_PASSWORD": credentials["password"],
    }


def test_names_that_do_not_exist_are_refused(cluster: Room) -> None:
    assert "no node 'demo-0009-001'" in cluster.call(refusals)[0]
    assert "no shard '0009'" in cluster.call(refusals)[1]


def refusals() -> list[str]:
    cluster = Cluster.attach(layout.run_dir())
    said = []
    for attempt in (lambda: cluster.kill_node("demo-0009-001"), lambda: cluster.failover("0009")):
        try:
            attempt()
        except LabError as error:
            said.append(str(error))
    return said
