"""What each fault of a path does to a client, looked at from the client's network without the probe."""

import json
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Any

import redis

from lab import layout
from lab.deployment.product import Product, client
from lab.deployment.world import World
from lab.faults.expected_verdicts import ExpectedVerdicts
from lab.faults.second_cluster import ZONE as OTHER_ZONE
from lab.observe import client_view as view
from lab.observe.steady_state import announced, members
from lab.wait import wait_until

Seen = dict[str, Any]
Look = Callable[[World, Product, ExpectedVerdicts], Seen]
NOTICED_SECONDS = 30
NODES = 6


def of_a_name(world: World, product: Product, expected: ExpectedVerdicts) -> Seen:
    """What the client sees of the name, and of one that has nothing to do with the fault."""
    name = min(expected.names)
    rest = {node.hostname for node in world.cluster.nodes} - expected.names
    own = {f"{key}.{layout.ZONE}": one.node_id for key, one in members(world).items()}

    def look() -> Seen:
        return {
            "addresses": view.addresses(name),
            "handshake": view.handshake(world, name),
            "said": view.answer_or_error(world, name, "CLUSTER", "MYID"),
            "announced": announced_hosts(world, name),
            "others": sorted({view.handshake(world, one) for one in rest}),
        }

    return {
        **view.from_client(look),
        "name": name,
        "record": product.records().get(name, ()),
        "id": own[name],
        "ids": list(own.values()),
        "tasks": {one.address: one.healthy for one in product.proxies()},
    }


def announced_hosts(world: World, name: str) -> list[str]:
    """Where the node behind a name sends its clients; nowhere if it does not answer."""
    try:
        with view.connection(world, name) as node:
            return sorted(announced(node))
    except redis.RedisError:
        return []


def of_a_cached_no(world: World, product: Product, expected: ExpectedVerdicts) -> Seen:
    seen = of_a_name(world, product, expected)
    lines = map(json.loads, (world.run_dir / "logs" / "resolver.log").read_text().splitlines())
    of_it = [one for one in lines if (one["view"], one["name"]) == ("client", seen["name"])]
    return seen | {"resolver": of_it[-1]}


def of_certificates(world: World, product: Product, expected: ExpectedVerdicts) -> Seen:
    seen = of_a_name(world, product, expected)
    names = view.from_client(lambda: served(world, seen["record"][0]))
    return seen | {"certificate": names}


def served(world: World, address: str) -> list[str]:
    try:
        return view.certificate_names(world, address)
    except OSError as error:
        return [type(error).__name__]


def of_haproxy_s_check(world: World, product: Product, expected: ExpectedVerdicts) -> Seen:
    seen = of_certificates(world, product, expected)
    closed = partial(view.handshake, world, seen["name"])
    wait_until(
        lambda: view.from_client(closed) == view.CLOSED,
        timeout_seconds=NOTICED_SECONDS,
        what="HAProxy to have noticed",
    )
    return seen


def of_a_loop(world: World, product: Product, expected: ExpectedVerdicts) -> Seen:
    seen = of_a_name(world, product, expected)
    program = "import socket,sys; print(socket.gethostbyname(sys.argv[1]))"
    beside = world.beside_proxies(["python3", "-c", program, seen["name"]])
    return seen | {"for_the_proxy": beside.stdout.strip()}


def of_the_secret(world: World, product: Product, expected: ExpectedVerdicts) -> Seen:
    del product, expected
    told = client("secretsmanager").get_secret_value(SecretId=layout.PROBE_SECRET)["SecretString"]
    return {"right": json.loads(told)["password"] == view.password(world)}


LOOKS: dict[str, Look] = {
    "missing_record": of_a_name,
    "cached_nxdomain": of_a_cached_no,
    "wrong_proxy": of_a_name,
    "clusters_mixed": of_certificates,
    "clusters_mixed_by_identity": of_certificates,
    "silent_proxy": of_a_name,
    "dead_proxy": of_a_name,
    "proxy_loops": of_a_loop,
    "node_down": of_a_name,
    "expired_certificate": of_haproxy_s_check,
    "wrong_certificate": of_certificates,
    "foreign_certificate": of_certificates,
    "wrong_password": of_a_name,
    "wrong_secret": of_the_secret,
    "announces_ip": of_a_name,
    "one_announces_ip": of_a_name,
}


def missing(seen: Seen) -> bool:
    return not seen["addresses"] and not seen["record"] and "not known" in seen["said"]


def cached(seen: Seen) -> bool:
    said = seen["resolver"]
    kept = said["rcode"] == "NXDOMAIN" and said["cached"] and said["ttl"] > 600
    return bool(seen["record"] and not seen["addresses"] and kept)


def another_node(seen: Seen) -> bool:
    others = set(seen["ids"]) - {seen["id"]}
    return seen["handshake"] == view.VERIFIED and seen["said"] in others


def another_cluster_s_name(seen: Seen) -> bool:
    return "mismatch" in seen["handshake"] and seen["certificate"] == [f"*.{OTHER_ZONE}"]


def another_cluster(seen: Seen) -> bool:
    stranger = seen["said"] not in seen["ids"]
    (told,) = seen["announced"]
    return bool(seen["handshake"] == view.VERIFIED and stranger and told.endswith(OTHER_ZONE))


def silent(seen: Seen) -> bool:
    return seen["handshake"] == view.SILENT and bool(seen["tasks"][seen["record"][0]])


def dead(seen: Seen) -> bool:
    return seen["handshake"] == view.SILENT and seen["record"][0] not in seen["tasks"]


def loops(seen: Seen) -> bool:
    return bool(seen["handshake"] == view.CLOSED and [seen["for_the_proxy"]] == seen["record"])


def closed(seen: Seen) -> bool:
    return seen["handshake"] == view.CLOSED and seen["record"][0] in seen["tasks"]


def expired(seen: Seen) -> bool:
    return "expired" in seen["handshake"]


def wrong_name(seen: Seen) -> bool:
    return "mismatch" in seen["handshake"] and layout.ZONE not in str(seen["certificate"])


def untrusted(seen: Seen) -> bool:
    return bool(seen["certificate"] == ["SSLCertVerificationError"])


def refused(seen: Seen) -> bool:
    return "invalid username-password pair" in seen["said"]


def addresses_only(seen: Seen) -> bool:
    networks = (layout.CACHE_VPC.cidr, layout.NODE_INTERNAL)
    told = [any(ip_address(one) in network for network in networks) for one in seen["announced"]]
    return len(told) == NODES and all(told)


EFFECTS: dict[str, Callable[[Seen], bool]] = {
    "missing_record": missing,
    "cached_nxdomain": cached,
    "wrong_proxy": another_node,
    "clusters_mixed": another_cluster_s_name,
    "clusters_mixed_by_identity": another_cluster,
    "silent_proxy": silent,
    "dead_proxy": dead,
    "proxy_loops": loops,
    "node_down": closed,
    "expired_certificate": expired,
    "wrong_certificate": wrong_name,
    "foreign_certificate": untrusted,
    "wrong_password": refused,
    "wrong_secret": lambda seen: not seen["right"],
    "announces_ip": addresses_only,
    "one_announces_ip": addresses_only,
}
