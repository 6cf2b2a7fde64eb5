"""`python -m lab.dns.server`: the resolvers of the client VPC and of the proxy VPC.

Each is at 169.254.169.253 in its VPC, with zones and a cache of its own (lab.dns.view). Zones come from the Route 53
API at AWS_ENDPOINT_URL; without that variable there are none.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from dnslib import EDNS0, QTYPE, RCODE, RR, DNSRecord
from dnslib.server import DNSHandler, DNSLogger, DNSServer

from lab import layout
from lab.dns.view import Answer, Record, View, public_file
from lab.dns.zones import LastKnown, Route53Zones, ZoneSource
from lab.host import network

PORT = 53
UDP_SIZE = 512
"""RFC 1035, section 4.2.1: what an answer by UDP may have without EDNS."""
DOTTED = {"CNAME": 1, "NS": 1, "SOA": 2}
"""How many words at the start of a value are names, which zone-file form wants with a last dot."""

Log = Callable[[str, str, str, Answer], None]


@dataclass(frozen=True, slots=True)
class Resolver:
    """A view in the form of dnslib's servers."""

    view: View
    log: Log

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """The reply, truncated where it does not fit the client's UDP size."""
        reply = request.reply(aa=0)
        name, kind = str(request.q.qname), str(QTYPE[request.q.qtype])
        answer = self.view.resolve(name, kind)
        self.log(self.view.name, name, kind, answer)
        reply.header.rcode = getattr(RCODE, answer.rcode)
        for record in answer.records:
            reply.add_answer(*_wire(record))
        if answer.authority is not None:
            reply.add_auth(*_wire(answer.authority))
        sizes = [extra.edns_len for extra in request.ar if extra.rtype == QTYPE.OPT]
        for _ in sizes:
            reply.add_ar(EDNS0(udp_len=1232))
        fits = handler.protocol == "tcp" or len(reply.pack()) <= max([UDP_SIZE, *sizes])
        return reply if fits else reply.truncate()


def bind(resolver: Resolver) -> list[DNSServer]:
    """Servers for UDP and TCP at the resolver's address in the calling thread's network; not started yet."""
    only_errors = DNSLogger("error")
    return [DNSServer(resolver, layout.RESOLVER, PORT, tcp, only_errors) for tcp in (False, True)]


def query_log(path: Path) -> Log:
    """A log that writes one JSON line a query."""
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
    client = Resolver(View("client", _zones(layout.CLIENT_VPC), public), log)
    proxy = Resolver(View("proxy", _zones(layout.PROXY_VPC), public), log)
    for server in (*network.in_network("client", lambda: bind(client)), *bind(proxy)):
        server.start_thread()
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


if __name__ == "__main__":
    main()
