"""`python -m lab.dns.server`: the resolvers of the client VPC and of the proxy VPC.

Each is at 169.254.169.253 in its VPC. Zones come from the Route 53 API at AWS_ENDPOINT_URL; without
that variable there are none. It must never answer for another view: each has its own sockets, zones
and cache (lab.dns.view).
"""

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from dnslib import EDNS0, QTYPE, RCODE, RR, DNSError, DNSRecord

from lab import layout
from lab.dns.view import Answer, Record, View, public_file
from lab.dns.zones import LastKnown, Route53Zones, ZoneSource
from lab.host import network

PORT = 53
UDP_SIZE = 512  # RFC 1035, section 4.2.1, without EDNS
IDLE_SECONDS = 5.0
DOTTED = {"CNAME": 1, "NS": 1, "SOA": 2}
"""How many words at the start of a value are names, which zone-file form wants with a last dot."""

Log = Callable[[str, str, str, Answer], None]
Sockets = tuple[socket.socket, socket.socket]


def reply_to(query: bytes, view: View, log: Log, *, udp: bool) -> bytes:
    """The wire form of the answer; raises DNSError for what is no query."""
    request = DNSRecord.parse(query)
    reply = request.reply(aa=0)
    name, kind = str(request.q.qname), str(QTYPE[request.q.qtype])
    answer = view.resolve(name, kind)
    log(view.name, name, kind, answer)
    reply.header.rcode = getattr(RCODE, answer.rcode)
    for record in answer.records:
        reply.add_answer(*_wire(record))
    if answer.authority is not None:
        reply.add_auth(*_wire(answer.authority))
    size = UDP_SIZE
    for extra in request.ar:
        if extra.rtype == QTYPE.OPT:
            size = max(size, extra.edns_len)
            reply.add_ar(EDNS0(udp_len=1232))
    packed = bytes(reply.pack())
    return bytes(reply.truncate().pack()) if udp and len(packed) > size else packed


def open_sockets() -> Sockets:
    """UDP and TCP sockets at the resolver's address in the calling thread's network."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((layout.RESOLVER, PORT))
    tcp = socket.create_server((layout.RESOLVER, PORT))
    return udp, tcp


def serve(view: View, sockets: Sockets, log: Log) -> None:
    """Answer queries for ever, in threads of their own."""
    udp, tcp = sockets
    threading.Thread(target=_serve_udp, args=(view, udp, log), daemon=True).start()
    threading.Thread(target=_serve_tcp, args=(view, tcp, log), daemon=True).start()


def query_log(path: Path) -> Log:
    """Writes one JSON line a query."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a", buffering=1)
    lock = threading.Lock()

    def write(view: str, name: str, kind: str, answer: Answer) -> None:
        line = {
            "at": round(time.time(), 3),
            "view": view,
            "name": name.rstrip(".").lower(),
            "type": kind,
            "rcode": answer.rcode,
            "answers": [record.value for record in answer.records],
            "ttl": answer.ttl,
            "source": answer.source,
            "cached": answer.cached,
        }
        with lock:
            file.write(json.dumps(line) + "\n")

    return write


def main() -> None:
    """Serve both views until killed."""
    run_dir = layout.run_dir()
    log = query_log(run_dir / "logs" / "resolver.log")
    public = public_file(run_dir / "public_dns.json")
    client = View("client", _zones(layout.CLIENT_VPC), public)
    proxy = View("proxy", _zones(layout.PROXY_VPC), public)
    serve(client, network.in_network("client", open_sockets), log)
    serve(proxy, open_sockets(), log)
    threading.Event().wait()


def _zones(vpc: layout.Vpc) -> ZoneSource:
    if "AWS_ENDPOINT_URL" not in os.environ:
        return lambda *, fresh: ()  # noqa: ARG005
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
    client = boto3.client("route53", region_name=layout.REGION, config=config)
    return LastKnown(Route53Zones(client, vpc.vpc_id, layout.REGION))


def _wire(record: Record) -> list[Any]:
    words = record.value.split()
    for place in range(DOTTED.get(record.kind, 0)):
        words[place] = words[place].rstrip(".") + "."
    value = " ".join(words) if record.kind in DOTTED else record.value
    name = "." if record.name == "." else f"{record.name}."
    return list(RR.fromZone(f"{name} {record.ttl} IN {record.kind} {value}"))


def _serve_udp(view: View, sock: socket.socket, log: Log) -> None:
    while True:
        query, sender = sock.recvfrom(4096)
        try:
            sock.sendto(reply_to(query, view, log, udp=True), sender)
        except (DNSError, OSError):
            continue  # no query, or nobody there to hear the answer


def _serve_tcp(view: View, listener: socket.socket, log: Log) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse, args=(view, connection, log), daemon=True).start()


def _converse(view: View, connection: socket.socket, log: Log) -> None:
    connection.settimeout(IDLE_SECONDS)
    with connection, connection.makefile("rb") as stream:
        try:
            while length := stream.read(2):
                query = stream.read(*struct.unpack("!H", length))
                reply = reply_to(query, view, log, udp=False)
                connection.sendall(struct.pack("!H", len(reply)) + reply)
        except (DNSError, OSError, struct.error):
            return


if __name__ == "__main__":
    main()
