"""A lab that stays up: commands in the client's network, and the CDK command beside the fake AWS."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.cluster.state import FIRST_HOST
from lab.layout import CACHE_VPC, PROXY_VPC, ZONE
from tests.support.lab.command import NODEWAY, nodeway

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls", "up")]

LOOK_UPS = {
    "python": [
        sys.executable,
        "-c",
        "import os,socket; print(socket.gethostbyname(os.environ['LAB_ENDPOINT']))",
    ],
    "node": [
        str(Path(sys.executable).parent / "node"),
        "-e",
        "require('dns').lookup(process.env.LAB_ENDPOINT, (e, a) => console.log(e || a))",
    ],
}


def test_lab_run_gives_the_command_s_own_exit_code_and_directory(tmp_path: Path) -> None:
    """A command runs where the user stands, and ends as it wants."""
    done = subprocess.run(
        [NODEWAY, "lab", "run", "--", "sh", "-c", "pwd; exit 7"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout.strip()) == (7, str(tmp_path))


@pytest.mark.parametrize("program", LOOK_UPS)
def test_lab_run_resolves_names_for_programs_as_they_are(program: str) -> None:
    """Whatever a program is written in, its ordinary look-up gives a HAProxy's address."""
    done = nodeway("lab", "run", "--", *LOOK_UPS[program])

    assert done.stdout.startswith("10.20."), done.stdout + done.stderr


def test_lab_run_resolves_names_for_a_go_program(tmp_path: Path) -> None:
    """Go reads resolv.conf and nsswitch.conf by itself; it must come to the same."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go on this machine")
    source = tmp_path / "main.go"
    source.write_text(
        'package main\nimport ("fmt"; "net"; "os")\n'
        'func main() { a, e := net.LookupHost(os.Getenv("LAB_ENDPOINT")); fmt.Println(a, e) }\n'
    )
    program = tmp_path / "look"
    subprocess.run([go, "build", "-o", str(program), str(source)], check=True, cwd=tmp_path)

    done = nodeway("lab", "run", "--", str(program))

    assert "[10.20." in done.stdout
    assert "<nil>" in done.stdout


def test_sandbox_s_check_passes_here_and_sees_a_way_around() -> None:
    """The file that the sandbox's host runs, in the client's network; a HAProxy in a node's place is a way around."""
    said = json.loads(nodeway("lab", "status", "--json").stdout)
    names = [f"{one['name']}.{ZONE}" for one in said["nodes"]]
    own = [str(CACHE_VPC.cidr[FIRST_HOST + place]) for place, _ in enumerate(names, 1)]
    proxy = said["nodes"][0]["proxies"][0]["address"]
    words = ["--through", str(PROXY_VPC.cidr), "--keys", "1000", "--names", *names]

    def check(*direct: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "nodeway.client.check"]
        return nodeway("lab", "run", "--", *program, *words, "--direct", *direct)

    apart = check(*own)
    around = check(proxy)

    assert (apart.returncode, json.loads(apart.stdout)["ok"]) == (0, True), apart.stdout
    assert around.returncode == 1
    assert json.loads(around.stdout)["direct"] == [
        {"address": proxy, "ok": False, "answer": "connected"}
    ]


def test_lab_run_says_so_when_there_is_no_such_command() -> None:
    """A command that does not exist is 127, as in a shell."""
    assert nodeway("lab", "run", "--", "no-such-command").returncode == 127


def test_second_lab_is_refused_in_one_line() -> None:
    """Two labs in one run directory would mix up."""
    done = nodeway("lab", "up")

    assert done.returncode == 1
    assert done.stderr.startswith("nodeway: a lab is up already")
    assert done.stderr.count("\n") == 1


def test_deployed_function_logs_as_documented() -> None:
    """The lab's function writes its runs into its own log group."""
    script = "from lab.deployment.product import Product; print(Product().resync(), len(Product().log('run')))"
    done = nodeway("lab", "aws", "--", "python3", "-c", script)

    assert "'outcome': 'unchanged'" in done.stdout, done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) >= 2


def test_cdk_diff_finds_nothing_after_a_deploy() -> None:
    """The same configuration gives the same templates: nothing to change."""
    said = cdk("diff", "--fail")

    assert "Number of stacks with differences: 0" in said or "no differences" in said.lower()


def test_wrong_environment_ends_cdk_in_one_line_that_helps() -> None:
    """The real CDK CLI shows our own words."""
    done = nodeway("lab", "aws", "--", "cdk", "synth", "-c", "env=dve", "--quiet", "--no-notices")

    assert done.returncode != 0
    assert "got 'dve', did you mean 'dev'?" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def cdk(*words: str) -> str:
    """The real CDK CLI beside the fake AWS; gives its output."""
    done = nodeway("lab", "aws", "--", "cdk", *words, "--all", "-c", "env=lab", "--no-notices")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_cdk_destroy_leaves_nothing_and_a_deploy_brings_all_back() -> None:
    """Stacks, tasks, zone and function go; the records went first, or the zone could not have gone."""
    script = (
        "from lab.deployment.product import client\n"
        "stacks = client('cloudformation').list_stacks()['StackSummaries']\n"
        "alive = [s['StackName'] for s in stacks if s['StackStatus'] != 'DELETE_COMPLETE']\n"
        "print(alive, client('route53').list_hosted_zones()['HostedZones'],"
        " client('lambda').list_functions()['Functions'])\n"
        "ecs = client('ecs')\n"
        "print([ecs.list_tasks(cluster=c)['taskArns'] for c in ecs.list_clusters()['clusterArns']])"
    )

    cdk("destroy", "--force")
    left = nodeway("lab", "aws", "--", "python3", "-c", script).stdout
    cdk("deploy", "--require-approval", "never")
    back = nodeway(
        "lab", "run", "--", sys.executable, "-m", "nodeway.client", "connect", "--expect", "ok"
    )

    assert left.splitlines() == ["['CDKToolkit'] [] []", "[]"]
    assert back.returncode == 0, back.stdout
