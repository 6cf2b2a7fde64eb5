"""The same configuration gives the same bytes: in another process, with other hashes, from another directory."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.bench.product.sized_app import write_app
from lab.layout import ROOT

MANY = 160


def synthesised(app: Path, environment: str, out: Path, seed: int) -> dict[str, bytes]:
    """What app.py wrote, by file: templates, and lists of assets. The manifest comes without what is told to people."""
    context = json.loads((app / "cdk.json").read_text())["context"]
    cached = app / "cdk.context.json"
    if cached.exists():
        context |= json.loads(cached.read_text())
    home = out.parent / f"home-{out.name}"
    home.mkdir()
    run = subprocess.run(
        [sys.executable, "app.py"],
        cwd=app,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TZ": "Asia/Kathmandu" if seed % 2 else "UTC",
            "PYTHONHASHSEED": str(seed),
            "CDK_OUTDIR": str(out),
            "CDK_CONTEXT_JSON": json.dumps({**context, "env": environment}),
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / "build" / "cache" / "jsii"),
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    kept = {
        file.name: file.read_bytes()
        for pattern in ("*.template.json", "*.assets.json")
        for file in out.glob(pattern)
    }
    return kept | {"manifest": json.dumps(deployed(out), sort_keys=True).encode()}


def deployed(out: Path) -> dict[str, Any]:
    """The manifest's stacks with what a deployment reads: names, parameters, dependencies, protection."""
    artifacts = json.loads((out / "manifest.json").read_text())["artifacts"]
    told = {"displayName", "properties", "dependencies", "environment", "type"}
    return {
        name: {key: value for key, value in one.items() if key in told}
        for name, one in artifacts.items()
        if one["type"] == "aws:cloudformation:stack"
    }


def linked(directory: Path) -> Path:
    """Another working copy: the app somewhere else, by links."""
    directory.mkdir()
    for name in ("app.py", "cdk.json"):
        (directory / name).symlink_to(ROOT / name)
    return directory


@pytest.mark.parametrize("environment", ["dev", "prod", "sandbox"])
def test_two_synths_give_the_same_bytes(tmp_path: Path, environment: str) -> None:
    """Without AWS: what prod and the sandbox would look up stands in cdk.json, as these samples are made up."""
    one = synthesised(ROOT, environment, tmp_path / "one", seed=1)
    copy = linked(tmp_path / "copy")
    other = synthesised(copy, environment, tmp_path / "other", seed=4242)

    assert sum(name.endswith(".template.json") for name in one) > 1
    assert one == other


def test_two_synths_of_many_nodes_give_the_same_bytes(tmp_path: Path) -> None:
    """More than one stack of nodes, each node in the cached topology."""
    apps = [write_app(tmp_path / name, MANY) for name in ("here", "there")]
    one, other = (
        synthesised(app.directory, app.environment, tmp_path / f"out{seed}", seed)
        for seed, app in enumerate(apps, start=6)
    )

    text = b"".join(content for name, content in one.items() if name.endswith(".template.json"))
    services = re.findall(rb'"Type": "AWS::ECS::Service"', text)
    assert len(services) == MANY
    assert one == other
