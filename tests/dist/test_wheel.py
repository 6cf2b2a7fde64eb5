"""The wheel by itself: what it puts where, its command, and an app on it that gets the templates of the checkout."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lab.layout import ROOT
from nodeway.cli.main import app as commands

pytestmark = pytest.mark.slow
EXAMPLE = ROOT / "examples" / "existing_app" / "app.py"
LOCKED = re.findall(r"^([\w.-]+==[^\s;]+)", (ROOT / "tools/requirements.txt").read_text(), re.MULTILINE)


def run(*words: str | Path, cwd: Path, **environment: str) -> str:
    """Runs a program with nothing of the caller's environment but where programs are; gives what it prints."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PIP_CACHE_DIR") if name in os.environ}
    done = subprocess.run(
        words, cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as `make dist` builds it."""
    directory = tmp_path_factory.mktemp("dist")
    words = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(sys.executable, *words, "--wheel-dir", directory, ROOT, cwd=directory)
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel and what it requires, at the lock's versions."""
    directory = tmp_path_factory.mktemp("installed")
    (directory / "constraints.txt").write_text("\n".join(LOCKED))
    run(sys.executable, "-m", "venv", directory / "venv", cwd=directory)
    pip = (directory / "venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--only-binary", ":all:", "--constraint", directory / "constraints.txt", wheel, cwd=directory)
    return directory / "venv/bin"


def test_wheel_has_the_library_and_the_runtime_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"nodeway", "nodeway_runtime"}
    assert {Path(name).suffix for name in names if "/templates/" in name} == {".j2", ".sh"}


def test_every_command_has_help(installed: Path, tmp_path: Path) -> None:
    """The lab's commands come from a distribution of their own, which is not there."""
    assert re.fullmatch(r"nodeway \d+\.\d+\.\d+\n", run(installed / "nodeway", "--version", cwd=tmp_path))
    assert " lab " not in run(installed / "nodeway", "--help", cwd=tmp_path)
    for command in commands.registered_commands:
        assert command.callback
        name = command.name or command.callback.__name__
        assert "Usage: nodeway" in run(installed / "nodeway", name, "--help", cwd=tmp_path)


def test_doctor_examines_what_it_can_reach(installed: Path, tmp_path: Path) -> None:
    """A name of the loopback on a port where nobody listens: a path that is broken, and said to be."""
    words: list[str | Path] = [installed / "nodeway", "doctor", "--endpoint", "localhost:1", "--json"]
    done = subprocess.run(
        words, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout) if done.stdout else done.stderr.startswith("nodeway: ")


def test_an_app_on_it_gets_the_templates_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    """Hashes of assets too: the Lambda's code is the same wherever it is read from."""
    found = {}
    for name, python in (("wheel", installed / "python"), ("checkout", Path(sys.executable))):
        out = tmp_path / name
        run(python, EXAMPLE, cwd=tmp_path, CDK_OUTDIR=str(out))
        found[name] = templates(out)

    assert found["wheel"] == found["checkout"]


def templates(out: Path) -> dict[str, Any]:
    """The templates of an assembly by file name."""
    return {one.name: json.loads(one.read_text()) for one in out.glob("*.template.json")}
