"""Scenarios of clients that do not speak cluster mode, through the Envoys that the product deploys."""

import json
import urllib.request
from pathlib import Path

from lab import layout
from lab.containers import container as containers
from lab.deployment import modes as ways
from lab.deployment.modes import AccessMode
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.host import syscalls as linux
from lab.scenarios.failover import fail_over
from lab.scenarios.scenario import Figures, client, expect, under_load
from nodeway.envoy.render import EnvoySpec

SLOTS = 16384
MOVED_SLOTS = 200
A_TURN = 1400
"""Writes after which a thread of the load has been in each of its slots (nodeway.client.slots)."""
FLEET = f"{layout.REPLICATION_GROUP}-envoy"
ADMIN_STATS = (
    f"http://127.0.0.1:{EnvoySpec.ADMIN_PORT}"
    "/stats?filter=cluster.cache.upstream_internal_redirect_succeeded_total"
)
LISTENERS = (AccessMode.ENVOY_RESP2, AccessMode.ENVOY_RESP3)


def envoy_single_client_works(world: World) -> Figures:
    """Two Envoys beside the HAProxies: a client without cluster mode uses every slot by one name, RESP2 and RESP3."""
    ways.deploy(AccessMode.ENVOY_RESP2, world.run_dir)
    each = {mode.value: client(world, "exercise", mode=mode) for mode in LISTENERS}
    wrong = client(world, "connect", "--wrong-password", mode=AccessMode.ENVOY_RESP2)
    foreign = client(
        world, "connect", "--ca", str(world.run_dir / "wrong-ca.pem"), mode=AccessMode.ENVOY_RESP2
    )
    records = Product(FLEET).records()
    seen: Figures = {
        "slots_covered": min(one["slots_covered"] for one in each.values()),
        "commands": {name: one["commands"] for name, one in each.items()},
        "records": len(records),
        "envoys": len(records.get(layout.ENVOY_ENDPOINT, ())),
        "wrong_password": wrong.get("error", "connected"),
        "wrong_ca": foreign.get("error", "connected"),
        "secrets_shown": find_secrets(world),
    }
    expect(seen["envoys"] == 2, "the name must lead to two Envoys", seen)  # noqa: PLR2004
    expect(all(one["ok"] for one in each.values()), "every slot and command must work", seen)
    expect("WRONGPASS" in seen["wrong_password"] or "invalid" in seen["wrong_password"],
            "Envoy must refuse a wrong password", seen)  # fmt: skip
    expect("CERTIFICATE_VERIFY_FAILED" in seen["wrong_ca"], "the client must verify Envoy", seen)
    expect(not seen["secrets_shown"], "no secret may be in an argument, a template or a log", seen)
    return seen


def envoy_failover(world: World) -> Figures:
    """A primary dies behind Envoy, its replica takes over, the dead one comes back: the one connection goes on."""
    return fail_over(world, AccessMode.ENVOY_RESP2, "0002")


def envoy_reshard(world: World) -> Figures:
    """Slots move key by key behind Envoy: it follows each ASK and MOVED itself, and the client never sees one."""
    before = count_redirects(world)
    moving = world.cluster.slots_of("0002")[-MOVED_SLOTS:]
    with under_load(world, "envoy-reshard", mode=AccessMode.ENVOY_RESP2) as load:
        world.cluster.move_by_hand(
            moving, ("0002", "0001"), while_open=lambda: load.wait_for_each_thread(A_TURN)
        )
        load.wait_for_each_thread(A_TURN)
    seen: Figures = {
        "slots_moved": len(moving),
        "redirects": count_redirects(world) - before,
        **load.figures,
    }
    expect(seen["redirects"] > 0, "the nodes must have redirected Envoy", seen)
    expect(seen["errors"] == 0, "the client must see no error", seen)
    expect(seen["lost_acknowledged"] == 0, "no acknowledged write may be lost", seen)
    return seen


def count_redirects(world: World) -> int:
    """How many redirects the Envoys have followed, from their admin ports."""
    found = (one for one in containers.running(world.run_dir) if one.name == "envoy")
    return sum(linux.in_network_of(one.pid, _redirects) for one in found)


def _redirects() -> int:
    with urllib.request.urlopen(ADMIN_STATS, timeout=5) as answer:
        return sum(int(line.rpartition(b" ")[2]) for line in answer.read().splitlines())


def find_secrets(world: World) -> list[str]:
    """The places where a password or key is shown that should be in Secrets Manager and Envoy's environment only."""
    files = ("credentials.json", "envoy.json")
    hidden = {json.loads((world.run_dir / one).read_text())["password"] for one in files}
    # a line of the key is enough to find it by
    hidden.add((world.run_dir / "envoy.pem").read_text().splitlines()[1])
    places = {
        "process list": "\n".join(linux.command_lines().values()),
        **{path.name: path.read_text(errors="replace") for path in read_logs_and_templates(world)},
    }
    return sorted(name for name, text in places.items() if any(one in text for one in hidden))


def read_logs_and_templates(world: World) -> list[Path]:
    """The Envoys' own output, and the templates of the CDK."""
    tasks = [one.task_id for one in containers.running(world.run_dir) if one.name == "envoy"]
    logs = [world.run_dir / "logs" / f"task-{task}-envoy.log" for task in tasks]
    return [*logs, *(world.run_dir / "other-app" / "cdk.out").glob("*.json")]


SUITE = (envoy_single_client_works, envoy_failover, envoy_reshard)
