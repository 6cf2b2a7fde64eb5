"""Shared HAProxies between a client and nodes that say which one they are, and a resolver that says what a test wants.

A program of its own, as containers end with the process that started them. It runs in a room
(tests/support/lab/room.py).
"""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from dnslib import QTYPE, RCODE, RR, DNSRecord

from lab import layout
from lab.containers.container import ContainerSpec
from lab.containers.runtime import Runtime
from lab.host import network
from lab.host import syscalls as linux
from lab.wait import wait_until
from nodeway.haproxy.render import START_COMMAND, SharedSpec, render_shared

IMAGE = "public.ecr.aws/docker/library/haproxy:2.8.25-alpine"
FIRST, SECOND, STOPPED = "10.20.1.5", "10.20.2.6", "10.20.3.7"
ONE, TWO, DEAD = "10.30.1.11", "10.30.1.12", "10.30.1.13"
"""Nodes; nobody listens at the last one."""
ELSEWHERE = "10.30.9.9"
"""A host of the cache's VPC that is not in the networks that the nodes may be in; it answers as a node does."""
OTHER_PORT = 6380
"""Another port at which the nodes answer."""

SPEC = SharedSpec(
    # the proxies' own network may connect, so that what ends a loop is not where it comes from
    client_cidrs=(str(layout.CLIENT_VPC.cidr), str(layout.PROXY_VPC.cidr)),
    port=layout.PORT,
    memory_mib=512,
    grace_seconds=2,
    drain_seconds=5,
    replication_group_id=layout.REPLICATION_GROUP,
    zone_name=layout.ZONE,
    nodes=(f"shop.{layout.ZONE}",),
    # as in a cache's VPC that the proxies live in
    cache_cidrs=("10.30.1.0/24", str(layout.PROXY_VPC.cidr)),
)
GUARDS = {
    "from_clients": "10.20.9.1",
    "of_the_cluster": "10.20.9.2",
    "in_the_cache": "10.20.9.3",
    "itself": "10.20.9.4",
}
"""A guard's ACL, and the address of a HAProxy without the line that rejects by it."""


def texts() -> dict[str, str]:
    """Each HAProxy's address, and its configuration."""
    whole = render_shared(SPEC)
    # a hundred sessions, so that a loop is soon at its end
    small = render_shared(replace(SPEC, memory_mib=1))
    without = {address: unguarded(small, guard) for guard, address in GUARDS.items()}
    return {FIRST: whole, SECOND: whole, STOPPED: whole, **without}


def unguarded(text: str, guard: str) -> str:
    """The configuration without one line."""
    lines = text.splitlines(keepends=True)
    kept = [one for one in lines if not one.rstrip().endswith((f"if {guard}", f"if !{guard}"))]
    assert len(kept) == len(lines) - 1
    return "".join(kept)


def main() -> None:
    """Serve until killed."""
    run_dir = layout.run_dir()
    network.up(run_dir)
    for address in (ONE, TWO, DEAD, ELSEWHERE):
        network.add_cache_address(address)
    for address in (ONE, TWO, ELSEWHERE):
        for port in (layout.PORT, OTHER_PORT):
            network.in_network("cache", partial(serve_node, address, port))
    threading.Thread(target=answer_names, args=(run_dir / "answers.json",), daemon=True).start()
    runtime = Runtime(run_dir)
    pids = {address: start_haproxy(runtime, address, text) for address, text in texts().items()}
    (run_dir / "haproxies.json").write_text(json.dumps(pids))
    threading.Event().wait()


def start_haproxy(runtime: Runtime, address: str, text: str) -> int:
    """A container as the task definition has it; gives its process id."""
    files = {"name": "nofile", "softLimit": SPEC.open_files, "hardLimit": SPEC.open_files}
    spec = ContainerSpec(
        task_id=address,
        name="haproxy",
        image=IMAGE,
        argv=("/bin/sh", "-c", START_COMMAND),
        environment={"HAPROXY_CFG": text},
        address=address,
        ulimits=(files,),
        volumes=(),
        read_only_root=True,
        drop_all_capabilities=True,
        stop_timeout_seconds=60,
    )
    return runtime.run(spec).pid


def serve_node(address: str, port: int) -> None:
    """Tells whoever says something which node it is, and how much it heard."""
    listener = socket.create_server((address, port), backlog=200)

    def converse(connection: socket.socket) -> None:
        with connection:
            while told := connection.recv(65536):
                connection.sendall(f"{address}:{port} heard {len(told)} bytes\n".encode())

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def answer_names(path: Path) -> None:
    """The HAProxies' resolver: what the file says of a name, and nothing at all when it is empty."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((layout.RESOLVER, 53))
    with path.with_name("asked.txt").open("a", buffering=1) as asked:
        while True:
            query, sender = server.recvfrom(4096)
            request = DNSRecord.parse(query)
            name, kind = str(request.q.qname).rstrip("."), str(QTYPE[request.q.qtype])
            print(sender[0], name, file=asked)
            known: Mapping[str, list[str]] = json.loads(path.read_text())
            if not known:
                continue
            reply = request.reply()
            if name not in known:
                reply.header.rcode = RCODE.NXDOMAIN
            for address in known.get(name, []):
                if (":" in address) == (kind == "AAAA"):
                    reply.add_answer(*RR.fromZone(f"{name}. 5 IN {kind} {address}"))
            server.sendto(reply.pack(), sender)


def start() -> bool:
    """For the room: the program runs, and every HAProxy listens."""
    run_dir = layout.run_dir()
    run_dir.mkdir(exist_ok=True, parents=True)
    (run_dir / "answers.json").write_text("{}")
    with (run_dir / "network.log").open("wb") as log:
        subprocess.Popen(
            [sys.executable, __file__],
            cwd=layout.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    wait_until((run_dir / "haproxies.json").exists, timeout_seconds=90, what="the HAProxies")
    for address in texts():
        listening = partial(network.in_network, "client", partial(listens, address))
        wait_until(listening, timeout_seconds=60, what=f"the HAProxy at {address}")
    return True


def listens(address: str) -> bool:
    """Whether one can connect from here."""
    try:
        socket.create_connection((address, layout.PORT), timeout=3).close()
    except OSError:
        return False
    return True


def haproxy(address: str) -> int:
    """The process id of the HAProxy at this address."""
    pids: dict[str, int] = json.loads((layout.run_dir() / "haproxies.json").read_text())
    return pids[address]


def connections(address: str) -> int:
    """How many connections the HAProxy at this address has taken from clients, as it says itself."""

    def read() -> str:
        with socket.create_connection(("127.0.0.1", 8405), timeout=3) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    text = linux.in_network_of(haproxy(address), read)
    counter = 'haproxy_frontend_connections_total{proxy="redis"}'
    (line,) = [one for one in text.splitlines() if one.startswith(counter)]
    return int(float(line.rpartition(" ")[2]))


if __name__ == "__main__":
    main()
