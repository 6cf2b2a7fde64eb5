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

Observation = dict[str, Any]
Observe = Callable[[World, Product, ExpectedVerdicts], Observation]
NOTICED_SECONDS = 30
NODES = 6


def observe_name(world: World, product: Product, expected: ExpectedVerdicts) -> Observation:
    """What the client sees of the name, and of one that has nothing to do with the fault."""
    name = min(expected.names)
    rest = {node.hostname for node in world.cluster.nodes} - expected.names
    own = {f"{key}.{layout.ZONE}": one.node_id for key, one in members(world).items()}

    def look() -> Observation:
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


def observe_cached_refusal(
    world: World, product: Product, expected: ExpectedVerdicts
) -> Observation:
    seen = observe_name(world, product, expected)
    lines = map(json.loads, (world.run_dir / "logs" / "resolver.log").read_text().splitlines())
    of_it = [one for one in lines if (one["view"], one["name"]) == ("client", seen["name"])]
    return seen | {"resolver": of_it[-1]}


def observe_certificates(world: World, product: Product, expected: ExpectedVerdicts) -> Observation:
    seen = observe_name(world, product, expected)
    names = view.from_client(lambda: read_certificate(world, seen["record"][0]))
    return seen | {"certificate": names}


def read_certificate(world: World, address: str) -> list[str]:
    try:
        return view.certificate_names(world, address)
    except OSError as error:
        return [type(error).__name__]


def observe_after_check(world: World, product: Product, expected: ExpectedVerdicts) -> Observation:
    seen = observe_certificates(world, product, expected)
    closed = partial(view.handshake, world, seen["name"])
    wait_until(
        lambda: view.from_client(closed) == view.CLOSED,
        timeout_seconds=NOTICED_SECONDS,
        what="HAProxy to have noticed",
    )
    return seen


def observe_loop(world: World, product: Product, expected: ExpectedVerdicts) -> Observation:
    seen = observe_name(world, product, expected)
    program = "import socket,sys; print(socket.gethostbyname(sys.argv[1]))"
    beside = world.beside_proxies(["python3", "-c", program, seen["name"]])
    return seen | {"for_the_proxy": beside.stdout.strip()}


def observe_secret(world: World, product: Product, expected: ExpectedVerdicts) -> Observation:
    del product, expected
    told = client("secretsmanager").get_secret_value(SecretId=layout.PROBE_SECRET)["SecretString"]
    return {"right": json.loads(told)["password"] == view.password(world)}


OBSERVATIONS: dict[str, Observe] = {
    "missing_record": observe_name,
    "cached_nxdomain": observe_cached_refusal,
    "wrong_proxy": observe_name,
    "clusters_mixed": observe_certificates,
    "clusters_mixed_by_identity": observe_certificates,
    "silent_proxy": observe_name,
    "dead_proxy": observe_name,
    "proxy_loops": observe_loop,
    "node_down": observe_name,
    "expired_certificate": observe_after_check,
    "wrong_certificate": observe_certificates,
    "foreign_certificate": observe_certificates,
    "wrong_password": observe_name,
    "wrong_secret": observe_secret,
    "announces_ip": observe_name,
    "one_announces_ip": observe_name,
}


def is_missing(seen: Observation) -> bool:
    return not seen["addresses"] and not seen["record"] and "not known" in seen["said"]


def is_cached(seen: Observation) -> bool:
    said = seen["resolver"]
    kept = said["rcode"] == "NXDOMAIN" and said["cached"] and said["ttl"] > 600
    return bool(seen["record"] and not seen["addresses"] and kept)


def is_another_node(seen: Observation) -> bool:
    others = set(seen["ids"]) - {seen["id"]}
    return seen["handshake"] == view.VERIFIED and seen["said"] in others


def is_another_cluster_s_name(seen: Observation) -> bool:
    return "mismatch" in seen["handshake"] and seen["certificate"] == [f"*.{OTHER_ZONE}"]


def is_another_cluster(seen: Observation) -> bool:
    stranger = seen["said"] not in seen["ids"]
    (told,) = seen["announced"]
    return bool(seen["handshake"] == view.VERIFIED and stranger and told.endswith(OTHER_ZONE))


def is_silent(seen: Observation) -> bool:
    return seen["handshake"] == view.SILENT and bool(seen["tasks"][seen["record"][0]])


def is_dead(seen: Observation) -> bool:
    return seen["handshake"] == view.SILENT and seen["record"][0] not in seen["tasks"]


def is_loop(seen: Observation) -> bool:
    return bool(seen["handshake"] == view.CLOSED and [seen["for_the_proxy"]] == seen["record"])


def is_closed(seen: Observation) -> bool:
    return seen["handshake"] == view.CLOSED and seen["record"][0] in seen["tasks"]


def is_expired(seen: Observation) -> bool:
    return "expired" in seen["handshake"]


def is_wrong_name(seen: Observation) -> bool:
    return "mismatch" in seen["handshake"] and layout.ZONE not in str(seen["certificate"])


def is_untrusted(seen: Observation) -> bool:
    return bool(seen["certificate"] == ["SSLCertVerificationError"])


def is_refused(seen: Observation) -> bool:
    return "invalid username-password pair" in seen["said"]


def is_addresses_only(seen: Observation) -> bool:
    networks = (layout.CACHE_VPC.cidr, layout.NODE_INTERNAL)
    told = [any(ip_address(one) in network for network in networks) for one in seen["announced"]]
    return len(told) == NODES and all(told)


EFFECTS: dict[str, Callable[[Observation], bool]] = {
    "missing_record": is_missing,
    "cached_nxdomain": is_cached,
    "wrong_proxy": is_another_node,
    "clusters_mixed": is_another_cluster_s_name,
    "clusters_mixed_by_identity": is_another_cluster,
    "silent_proxy": is_silent,
    "dead_proxy": is_dead,
    "proxy_loops": is_loop,
    "node_down": is_closed,
    "expired_certificate": is_expired,
    "wrong_certificate": is_wrong_name,
    "foreign_certificate": is_untrusted,
    "wrong_password": is_refused,
    "wrong_secret": lambda seen: not seen["right"],
    "announces_ip": is_addresses_only,
    "one_announces_ip": is_addresses_only,
}
