"""Builders of what the probe meets: members, walks and maps of the demo cluster. The rest of each is ordinary."""

from dataclasses import dataclass, field, replace
from typing import Any

from nodeway_runtime.model.topology import Address, Hostname
from nodeway_runtime.paths.cluster_view import Counters, Member, NodeReply
from nodeway_runtime.paths.report import Proxy
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.paths.trace import AddressTrace, Failure, NameTrace, Phase
from nodeway_runtime.probe.walker import Login, Walker
from tests.support.fakes import ENDPOINT, ONE, THREE, TWO, ZONE, named

ADDRESSES = {ONE: "10.20.1.1", TWO: "10.20.1.2", THREE: "10.20.2.1"}
"""Of each node's proxy."""
SECRET = "s3cr3t-of-the-probe-%!"
"""A password that must be seen nowhere."""


def node_id(label: str) -> str:
    """A node's own id."""
    return f"{label.encode().hex():0<40}"[-40:]


def member(label: str, endpoint: str | None = None, *, shard: int = 0) -> Member:
    """A node as others tell of it: under its own name."""
    where = named(label) if endpoint is None else endpoint
    return Member(node_id(label), where, primary=True, shard=shard)


def members(*labels: str) -> tuple[Member, ...]:
    """A view of the cluster; without labels the whole one."""
    return tuple(sorted(map(member, labels or (ONE, TWO, THREE)), key=lambda one: one.node_id))


def counters(moved: int = 0, **more: Any) -> Counters:  # noqa: ANN401 (its other fields)
    """A node's counters."""
    usual = {"run_id": "r1", "asked": 0, "rejected_connections": 0, "primary": True}
    return Counters(moved=moved, **{**usual, **more})


def address_trace(
    label: str | None = ONE,
    address: str | None = None,
    failure: Failure = Failure.NONE,
    view: tuple[Member, ...] | None = None,
    **more: Any,  # noqa: ANN401 (its other fields)
) -> AddressTrace:
    """A walk that came to this node and asked it who it is; None: to nobody who says so."""
    reply = NodeReply(node_id(label), view, counters()) if label else NodeReply()
    where = address or ADDRESSES[label or ONE]
    reached = Phase.IDENTITY if failure is Failure.NONE else Phase.CONNECT
    plain: dict[str, Any] = {"certificate_days": 300.0, "reply": reply, "reached": reached, **more}
    return AddressTrace(where, failure=failure, **plain)


def name_trace(name: str, *walks: AddressTrace, **more: Any) -> NameTrace:  # noqa: ANN401 (its other fields)
    """A name with these walks; the label is enough of it."""
    return NameTrace(name if "." in name else named(name), walks, resolve_milliseconds=0.5, **more)


def failed_trace(
    label: str,
    failure: Failure,
    address: str | None = None,
    **more: Any,  # noqa: ANN401 (its other fields)
) -> NameTrace:
    """A name whose only path met something, before anybody said who he is."""
    where = address or ADDRESSES[label]
    return name_trace(
        label, address_trace(None, where, failure, **{"detail": "it says so", **more})
    )


def unresolved(label: str, failure: Failure) -> NameTrace:
    """A name without an address."""
    return NameTrace(named(label), (), failure, "so it says")


def healthy(*labels: str) -> list[NameTrace]:
    """Names in order; each node is asked for its view of the whole cluster."""
    return [
        name_trace(one, address_trace(one, view=members())) for one in labels or (ONE, TWO, THREE)
    ]


def task_at(label: str, address: str | None = None, **more: Any) -> Proxy:  # noqa: ANN401 (its other fields)
    """The task of a node."""
    where = address or ADDRESSES[label]
    task = f"arn:aws:ecs:us-east-1:123456789012:task/nodeway/{where}"
    return replace(Proxy(where, task, named(label), "us-east-1a", "healthy"), **more)


def targets(*labels: str, **more: Any) -> Targets:  # noqa: ANN401 (its other fields)
    """The map of these nodes, each with its record and its proxy."""
    chosen = labels or (ONE, TWO, THREE)
    usual: dict[str, Any] = {
        "names": tuple(map(named, chosen)),
        "records": {named(one): (Address(ADDRESSES[one]),) for one in chosen},
        "proxies": tuple(map(task_at, chosen)),
    }
    return Targets("demo", ZONE, 6379, **{**usual, **more})


def with_endpoint(*labels: str) -> Targets:
    """The map with the configuration endpoint, which leads to all of the proxies."""
    chosen = labels or (ONE, TWO, THREE)
    plain = targets(*chosen)
    every = tuple(Address(ADDRESSES[one]) for one in chosen)
    names = (*plain.names, ENDPOINT)
    return replace(
        plain, names=names, endpoint=ENDPOINT, records={**(plain.records or {}), ENDPOINT: every}
    )


def shared() -> Targets:
    """The map of a fleet in which both names lead to the same proxies."""
    anyone = Hostname(f"*.{ZONE}")
    addresses = (Address("10.20.9.1"), Address("10.20.9.2"))
    tasks = tuple(replace(task_at(ONE, one), node=anyone) for one in addresses)
    return targets(ONE, TWO, records={anyone: addresses}, proxies=tasks, one_name=True)


BLIND = targets(records=None, proxies=())
"""The map of a laptop without AWS."""
STRANGER = address_trace(reply=NodeReply("f" * 40))
PLAIN = Walker.of(6379)


@dataclass(frozen=True, slots=True)
class FakeWalker(Walker):
    """Meets what it is told to, and keeps which nodes were asked for the whole cluster."""

    met: tuple[NameTrace, ...] = ()
    views: list[Hostname] = field(default_factory=list)

    def trace(self, name: str, *, view: bool) -> NameTrace:
        """What was told of the name; else nobody knows it."""
        if view:
            self.views.append(Hostname(name))
        found = next((one for one in self.met if one.name == name), None)
        return found or NameTrace(name, (), Failure.NO_SUCH_NAME)


def fake_walker(*met: NameTrace, login: Login | None = None) -> FakeWalker:
    """A walker that meets these."""
    return FakeWalker(6379, PLAIN.context, PLAIN.nameless, login, met=met)
