"""Envoy's configuration, as users get it and as Envoy itself reads it.

Each folder of `envoy/` is a case: `spec.yaml` in, `envoy.yaml` out; `pytest --update-golden` writes the second anew.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nodeway.envoy.render import EnvoySpec, Iam, render
from tests.golden.conftest import AssertGolden
from tests.support.programs.envoys import ENVOY, certificates, secrets

CASES = sorted(path.parent for path in Path(__file__).parent.glob("envoy/*/spec.yaml"))


def spec_of(case: Path) -> EnvoySpec:
    """The spec that a case states."""
    stated = yaml.safe_load((case / "spec.yaml").read_text())
    passwords = tuple(stated.pop("downstream_passwords"))
    iam = stated.pop("iam", None)
    return EnvoySpec(downstream_passwords=passwords, iam=Iam(**iam) if iam else None, **stated)


def checked(text: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What Envoy says of a configuration."""
    command = [ENVOY, "--mode", "validate", "--config-yaml", text, "--log-level", "warning"]
    return subprocess.run(
        command, env=dict(variables), capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_render_gives_the_golden_file(case: Path, assert_golden: AssertGolden) -> None:
    assert_golden(render(spec_of(case)), case / "envoy.yaml")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_envoy_accepts_what_is_rendered(case: Path, tmp_path: Path) -> None:
    """`envoy --mode validate` is content, without a warning: no field is deprecated."""
    made = certificates(tmp_path)
    text = render(replace(spec_of(case), ca_file=str(made.authority)))

    said = checked(text, secrets(made))

    assert said.returncode == 0, said.stderr
    assert "[warning]" not in said.stderr


def test_envoy_refuses_a_password_that_is_not_there(tmp_path: Path) -> None:
    """A task without its secret fails at once; it never becomes a proxy that anybody may use."""
    made = certificates(tmp_path)
    variables = secrets(made)
    del variables["DOWNSTREAM_PASSWORD_2"]

    said = checked(render(replace(spec_of(CASES[0]), ca_file=str(made.authority))), variables)

    assert said.returncode != 0
    assert "DOWNSTREAM_PASSWORD_2" in said.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_configuration_has_no_password_and_its_admin_interface_is_the_task_s(case: Path) -> None:
    parsed: dict[str, Any] = yaml.safe_load(render(spec_of(case)))

    for listener in parsed["static_resources"]["listeners"]:
        config = listener["filter_chains"][0]["filters"][0]["typed_config"]
        for password in config["downstream_auth_passwords"]:
            assert list(password) == ["environment_variable"]
    assert parsed["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("memory", "clients"), [(256, 1024), (512, 5120), (1024, 13312), (200, 128), (192, 100)]
)
def test_clients_fit_the_memory_of_the_task(memory: int, clients: int) -> None:
    """64 KiB a client after Envoy itself; never too few to be of use."""
    spec = replace(spec_of(CASES[0]), memory_mib=memory)

    assert spec.max_connections == clients
    assert spec.open_files > clients
