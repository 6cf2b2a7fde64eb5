import json
import os
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from dnslib import DNSRecord

from lab import layout
from lab import state_files as files
from lab.deployment import cdk as aws
from lab.host import network
from lab.wait import wait_until
from tests.support.lab.room import Room

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_route53.literals import RRTypeType

pytestmark = pytest.mark.lab

NODE = f"demo-0001-001.{layout.ZONE}"
SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 {minimum}"


@pytest.fixture(scope="module")
def resolvers(room: Room) -> Room:
    """Networks, the fake AWS, and both VPCs' resolvers."""
    room.call(build)
    return room


def build() -> None:
    run_dir = layout.run_dir()
    network.up(run_dir)
    files.write_json(run_dir / "public_dns.json", {NODE: ["10.30.1.11"]})
    aws.start(run_dir)
    subprocess.Popen(
        [sys.executable, "-m", "lab.dns.server"],
        env={**os.environ, **aws.environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for view in ("client", "proxy"):
        wait_until(
            partial(ask_or_none, view, NODE), timeout_seconds=60, what=f"the {view} resolver"
        )


def ask_or_none(view: str, name: str) -> dict[str, Any] | None:
    try:
        return ask(view, name)
    except OSError:
        return None


def ask(view: str, name: str, kind: str = "A", *, tcp: bool = False) -> dict[str, Any]:
    def send() -> DNSRecord:
        question = DNSRecord.question(name, kind)
        return DNSRecord.parse(question.send(layout.RESOLVER, 53, timeout=3, tcp=tcp))

    reply = network.in_network("client", send) if view == "client" else send()
    return {
        "status": reply.header.rcode,
        "answers": sorted(str(record.rdata) for record in reply.rr),
        "authority": [[str(record.rname), record.ttl] for record in reply.auth],
        "truncated": bool(reply.header.tc),
    }


def route53() -> "Route53Client":
    os.environ.update(aws.environment())
    client: Route53Client = boto3.client("route53")
    return client


def upsert(zone: str, name: str, kind: "RRTypeType", ttl: int, *values: str) -> None:
    route53().change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={
            "Changes": [
                {
                    "Action": "UPSERT",
                    "ResourceRecordSet": {
                        "Name": name,
                        "Type": kind,
                        "TTL": ttl,
                        "ResourceRecords": [{"Value": value} for value in values],
                    },
                }
            ]
        },
    )


def story() -> dict[str, Any]:
    """A name that is asked for before it exists, with the SOA as it is at first, and lowered."""
    said: dict[str, Any] = {"before": ask("client", NODE)}
    created = route53().create_hosted_zone(
        Name=layout.ZONE,
        CallerReference="test",
        VPC={"VPCId": layout.CLIENT_VPC.vpc_id, "VPCRegion": "us-east-1"},
        HostedZoneConfig={"PrivateZone": True},
    )
    zone = created["HostedZone"]["Id"]
    early, late = f"demo-0004-001.{layout.ZONE}", f"demo-0005-001.{layout.ZONE}"
    said["too early"] = ask("client", early)
    upsert(zone, early, "A", 5, "10.20.1.5")
    said["still"] = ask("client", early)
    upsert(zone, layout.ZONE, "SOA", 2, SOA.format(minimum=2))
    said["early, soa lowered"] = ask("client", late)
    upsert(zone, late, "A", 5, *(f"10.20.1.{n}" for n in range(1, 41)))
    started = time.monotonic()
    wait_until(lambda: ask("client", late)["status"] == 0, timeout_seconds=30, what="the new name")
    said["seconds"] = time.monotonic() - started
    said["udp"], said["tcp"] = ask("client", late), ask("client", late.upper(), tcp=True)
    said["aaaa"] = ask("client", late, "AAAA")
    said["other view"] = ask("proxy", NODE)
    said["stays"] = ask("client", early)
    return said


def test_zones_negative_answers_and_views(resolvers: Room) -> None:
    said = resolvers.call(story)
    assert said["before"]["answers"] == ["10.30.1.11"]
    assert said["too early"]["status"] == 3
    [[owner, ttl]] = said["too early"]["authority"]
    assert (owner, ttl) == (f"{layout.ZONE}.", 900)
    assert said["still"]["status"] == 3
    assert said["early, soa lowered"]["authority"][0][1] == 2
    assert said["seconds"] < 90
    assert len(said["tcp"]["answers"]) == 40
    assert said["udp"]["truncated"]
    assert (said["aaaa"]["status"], said["aaaa"]["answers"]) == (0, [])
    assert said["other view"]["answers"] == ["10.30.1.11"]
    # the trap: the early name exists for seconds now, and its client does not know for a quarter of an hour
    assert said["stays"]["status"] == 3


def test_programs_of_the_client_ask_it(resolvers: Room) -> None:
    words = resolvers.call(prefix)
    done = resolvers.run(*words, "getent", "hosts", f"no-such-name.{layout.ZONE}")
    assert done.returncode == 2
    log = (resolvers.run_dir / "logs" / "resolver.log").read_text().splitlines()
    asked = [json.loads(line) for line in log]
    assert any(q["view"] == "client" and q["name"].startswith("no-such-name.") for q in asked)


def prefix() -> list[str]:
    return network.inside("client")
