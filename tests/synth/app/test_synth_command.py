"""`make synth`: what it leaves behind, and what it says."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lab.bench.product.sized_app import topology, write_app
from lab.errors import LabError
from lab.layout import ROOT


def synth(environment: str, out: Path) -> subprocess.CompletedProcess[str]:
    """Without AWS, and with nothing of the caller's but where programs are."""
    return subprocess.run(
        ["sh", "tools/synth.sh", environment, out],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(out.parent)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_failed_synth_keeps_the_templates_that_were_there(tmp_path: Path) -> None:
    """And its one line is the last of ours: no list of what went wrong inside."""
    out = tmp_path / "cdk.out"
    out.mkdir()
    (out / "kept.template.json").write_text("{}")

    done = synth("prd", out)

    assert done.returncode != 0
    assert "nodeway: unknown environment: got 'prd', did you mean 'prod'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert [file.name for file in out.iterdir()] == ["kept.template.json"]


def test_synth_of_a_number_of_nodes_replaces_the_templates(tmp_path: Path) -> None:
    """`make synth ENV=7`: a service for each of the seven, and nothing of the synth before."""
    out = tmp_path / "cdk.out"
    out.mkdir()
    (out / "gone.template.json").write_text("{}")

    done = synth("7", out)

    assert done.returncode == 0, done.stdout + done.stderr
    assert not (out / "gone.template.json").exists()
    kinds = [
        one["Type"]
        for file in out.glob("*.template.json")
        for one in json.loads(file.read_text())["Resources"].values()
    ]
    assert kinds.count("AWS::ECS::Service") == 7
    assert {file.name for file in tmp_path.iterdir()} >= {"cdk.out"}
    assert not list(tmp_path.glob("cdk.out.*"))


@pytest.mark.parametrize("nodes", [0, 501])
def test_number_that_elasticache_does_not_take_is_refused(tmp_path: Path, nodes: int) -> None:
    with pytest.raises(LabError, match=f"got {nodes}; allowed: 1 to 500"):
        write_app(tmp_path, nodes)


def test_sized_topology_has_84_shards_for_500_nodes() -> None:
    """Six to a shard, in three zones, and no name twice."""
    nodes = topology(500).nodes

    assert len({node.cache_cluster_id for node in nodes}) == 500
    assert len({node.cache_cluster_id.rpartition("-")[0] for node in nodes}) == 84
    assert len({node.availability_zone for node in nodes}) == 3
