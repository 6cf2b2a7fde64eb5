"""The cost of a run of the probe with 6, 50 and 500 names: a scenario, and the program that it measures.

`python -m lab.detection.cost NAMES ADDRESS`: one run in a process of its own, as in a cold Lambda; prints JSON. All
names lead to one real node, which has as many members in its CLUSTER SHARDS. So 500 TLS handshakes and the size of the
answers are real; there are no HAProxies between.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from lab import layout
from lab.cluster import certificates
from lab.cluster.node import Node, ask
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.second_cluster import extra_node
from lab.host.memory import peak_mib
from lab.observe.steady_state import control
from lab.report.threshold import Threshold
from lab.scenarios.scenario import Figures, expect
from lab.state_files import write_json
from lab.wait import wait_until
from nodeway_runtime.model.topology import Address, Hostname
from nodeway_runtime.paths.report import Proxy, to_document
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.probe.run import Probe
from nodeway_runtime.probe.walker import Login, Walker

SIZES = (6, 50, 500)
ZONE = f"big.fed321.{layout.ZONE.partition('.abc123.')[2]}"
NODE = Node(
    name="big-0001-001",
    shard="0001",
    address=str(layout.CACHE_VPC.cidr[3 * 256 + 10]),
    internal=str(layout.NODE_INTERNAL[3 * 256 + 10]),
    zone=ZONE,
    certificate="big-cluster.pem",
)
NOWHERE = str(layout.CACHE_VPC.cidr[200 * 256 + 10])
"""An unused address of the cache VPC: packets to it are lost."""
LONGEST_SECONDS = 60


def probe_costs_little(world: World) -> Figures:
    """A run over 6, 50 and 500 names, and one in which 500 addresses are dead: within the schedule's minute."""
    seen: Figures = {"sizes": {}}
    for names in SIZES:
        with big_cluster(world, names):
            seen["sizes"][str(names)] = measure(world, names, NODE.address)
    seen["sizes"][f"{SIZES[-1]} dead"] = measure(world, SIZES[-1], NOWHERE)
    seen["slowest_run_seconds"] = max(one["wall_seconds"] for one in seen["sizes"].values())
    not_walked = sum(one["verdicts"].get("not_walked", 0) for one in seen["sizes"].values())
    expect(not_walked == 0, "every name must be walked", seen)
    slowest = Threshold("seconds of the slowest run", seen["slowest_run_seconds"], LONGEST_SECONDS)
    expect(slowest.met, str(slowest), seen)
    return seen


def measure(world: World, names: int, address: str) -> Figures:
    """A run in the proxies' network over so many names that lead to an address; raises LabError when it fails."""
    path = world.run_dir / "public_dns.json"
    before = json.loads(path.read_text())
    write_json(path, before | {name: [address] for name in host_names(names, address)})
    try:
        words = [sys.executable, "-m", "lab.detection.cost", str(names), address]
        done = subprocess.run(
            words, cwd=layout.ROOT, capture_output=True, text=True, check=False, timeout=120
        )
    finally:
        write_json(path, before)
    if done.returncode != 0:
        raise LabError(f"the measured probe failed: {done.stderr.strip()[-300:]}")
    return dict(json.loads(done.stdout))


def host_names(names: int, address: str = NODE.address) -> list[Hostname]:
    """The names of a cluster of so many nodes, two per shard; they contain the address, as resolvers cache names."""
    group = f"big{address.replace('.', '')}"
    return [Hostname(f"{group}-{i // 2 + 1:04d}-{i % 2 + 1:03d}.{ZONE}") for i in range(names)]


@contextmanager
def big_cluster(world: World, members: int) -> Iterator[None]:
    """A real node with so many members in its cluster; all others do not run."""
    home = world.run_dir / "nodes" / NODE.name
    home.mkdir(parents=True)
    (home / "nodes.conf").write_text(nodes_conf(members))
    certificates.issue(world.run_dir, NODE.certificate, f"*.{ZONE}")
    with extra_node(world, NODE) as started:

        def knows_all() -> bool:
            try:
                with control(world, started) as connection:
                    return f"cluster_known_nodes:{members}" in str(
                        ask(connection, "CLUSTER", "INFO")
                    )
            except redis.RedisError:
                return False

        wait_until(knows_all, timeout_seconds=30, what=f"a node that knows {members} members")
        yield


def nodes_conf(members: int) -> str:
    """Valkey's file nodes.conf for so many members: https://valkey.io/commands/cluster-nodes/."""
    ids = [f"{i + 1:040x}" for i in range(members)]
    lines = []
    for i, name in enumerate(host_names(members)):
        place = f"{layout.NODE_INTERNAL[4 * 256 + i]}:{layout.PORT}@{layout.PORT + 10000}"
        leads = f"slave {ids[i - 1]}" if i % 2 else "master -"
        flags = f"myself,{leads}" if i == 0 else leads
        slots = f" {i // 2}" if i % 2 == 0 else ""
        about = f"{name},shard-id={ids[i // 2 * 2]}"
        lines.append(f"{ids[i]} {place},{about} {flags} 0 0 {i // 2 + 1} connected{slots}")
    return "\n".join([*lines, f"vars currentEpoch {members} lastVoteEpoch 0", ""])


def main(names: int, address: str) -> None:
    """One measured run. The memory includes the interpreter and the imports, the times do not."""
    run_dir = layout.run_dir()
    login = json.loads((run_dir / "credentials.json").read_text())
    expected = Targets(
        cluster="big",
        zone=Hostname(ZONE),
        port=layout.PORT,
        names=tuple(host_names(names, address)),
        records={name: (Address(address),) for name in host_names(names, address)},
        proxies=tuple(
            Proxy(address, f"task/{i:032x}", name, "us-east-1a", "healthy")
            for i, name in enumerate(host_names(names, address))
        ),
        one_name=True,
    )
    walker = Walker.of(layout.PORT, ca_file=str(run_dir / "ca.pem"), login=Login(**login))
    cpu, wall = time.process_time(), time.perf_counter()
    report = Probe("lab").run(expected, walker)
    answer = to_document(report)
    figures = {
        "wall_seconds": round(time.perf_counter() - wall, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_mib": round(peak_mib()),
        "connections": report.connections,
        "request_kib": round(len(json.dumps(expected.document())) / 1024),
        "answer_kib": round(len(json.dumps(answer)) / 1024),
        "verdicts": {
            verdict: sum(row["verdict"] == verdict for row in answer["rows"])
            for verdict in sorted({str(row["verdict"]) for row in answer["rows"]})
        },
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
