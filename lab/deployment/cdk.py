"""Starts the fake AWS, and deploys the real app into it with the real CDK command.

For callers inside the sandbox, in the router's network. The endpoint and the keys are the lab's.
"""

import json
import os
import shutil
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from lab import layout
from lab.errors import LabError
from lab.wait import wait_until

START_SECONDS = 120
CDK_SECONDS = 900
LAST_LINES = 12
CHATTER = ("[WARNING]", "WARNING", "NOTICES", "***", "!!")
TELLING = ("_FAILED", "❌", "Error", "error:", "nodeway:")


def environment() -> dict[str, str]:
    """The variables that make CDK, boto3 and the AWS CLI speak to the lab as its root user, and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": layout.AWS_ENDPOINT,
        # a key of twelve digits is the root user of that account
        "AWS_ACCESS_KEY_ID": layout.ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_REGION": layout.REGION,
        "AWS_DEFAULT_REGION": layout.REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "localhost,127.0.0.1",
    }


def start(run_dir: Path) -> subprocess.Popen[bytes]:
    """Start the fake AWS and wait until it answers. Raises LabError with the end of its log when it does not."""
    log = run_dir / "logs" / "aws.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "lab.fake_aws"],
            cwd=layout.ROOT,
            env={**os.environ, "LAB_RUN_DIR": str(run_dir)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # a Ctrl-C is for the suite, which still needs it to tidy up
            start_new_session=True,
        )
    opener = build_opener(ProxyHandler({}))

    def answers() -> bool:
        if process.poll() is not None:
            msg = f"the fake AWS ended with exit code {process.returncode}: {_tail(log)}"
            raise LabError(msg)
        try:
            with opener.open(f"{layout.AWS_ENDPOINT}/_ministack/health", timeout=2) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except (URLError, OSError):
            return False

    wait_until(answers, timeout_seconds=START_SECONDS, what=f"the fake AWS to answer (log: {log})")
    return process


def cdk(
    *words: str, check: bool = True, directory: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the CDK command on the app, or in another directory; its output goes to logs/cdk.log as it comes.

    `stdout` of the result holds all of it. Raises LabError with its last lines when `check` and it failed, and when it
    did not end in time.
    """
    run_dir = layout.run_dir()
    log = run_dir / "logs" / "cdk.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [_cdk_command(), *words, "--no-notices", "--no-color"]
    with log.open("a+") as output:
        output.write(f"$ cdk {' '.join(words)}\n")
        output.flush()
        began = output.tell()
        try:
            done = subprocess.run(
                command,
                cwd=directory or app_directory(run_dir),
                env=cdk_environment(run_dir),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=CDK_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            msg = f"cdk {words[0]} did not end within {CDK_SECONDS} s (log: {log})"
            raise LabError(msg) from None
        output.seek(began)
        text = output.read()
    if check and done.returncode != 0:
        msg = f"cdk {words[0]} failed: {_last(text.splitlines())} (log: {log})"
        raise LabError(msg)
    return subprocess.CompletedProcess(command, done.returncode, text, "")


def bootstrap() -> None:
    """`cdk bootstrap`, once: the bucket and the roles that CDK deploys with."""
    # no app there: bootstrapping needs none, and would run it
    directory = _directory(layout.run_dir() / "bootstrap")
    mark = directory / "done"
    if not mark.exists():
        cdk("bootstrap", f"aws://{layout.ACCOUNT}/{layout.REGION}", directory=directory)
        mark.touch()


def deploy(
    *context: str, check: bool = True, directory: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """`cdk deploy` of all stacks of the lab's environment; `context` is `KEY=VALUE` each."""
    bootstrap()
    words = ("--require-approval", "never", "--concurrency", "3", *_context(context))
    return cdk("deploy", "--all", *words, check=check, directory=directory)


def diff(*context: str) -> str:
    """What `cdk diff` prints."""
    return cdk("diff", "--all", *_context(context)).stdout


def destroy(*, directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`cdk destroy` of all stacks."""
    return cdk("destroy", "--all", "--force", *_context(()), directory=directory)


def synthesized() -> Path:
    """A directory in which the CDK command takes the result of the latest synth in place of a new one."""
    directory = _directory(layout.run_dir() / "synthesized")
    made = app_directory(layout.run_dir()) / "cdk.out"
    (directory / "cdk.json").write_text(json.dumps({"app": str(made)}))
    return directory


def _context(pairs: tuple[str, ...]) -> list[str]:
    return [word for pair in ("env=lab", *pairs) for word in ("--context", pair)]


def app_directory(run_dir: Path) -> Path:
    """A directory with the repository's app in it, for what CDK writes (cdk.context.json, cdk.out)."""
    directory = run_dir / "app"
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("app.py", "cdk.json"):
        link = directory / name
        if not link.is_symlink():
            link.symlink_to(layout.ROOT / name)
    return directory


def app_with(**changes: object) -> Path:
    """The same app with changes to the lab's environment in a cdk.json of its own, and the known look-ups."""
    directory = _directory(layout.run_dir() / "other-app")
    settings = json.loads((layout.ROOT / "cdk.json").read_text())
    settings["context"]["environments"]["lab"] |= changes
    (directory / "cdk.json").write_text(json.dumps(settings))
    (directory / "app.py").unlink(missing_ok=True)
    (directory / "app.py").symlink_to(layout.ROOT / "app.py")
    known = app_directory(layout.run_dir()) / "cdk.context.json"
    if known.exists():
        shutil.copy(known, directory)
    return directory


def cdk_environment(run_dir: Path) -> dict[str, str]:
    """The whole environment of the CDK command: the fake account, and of the machine only PATH and language."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    return {
        **kept,
        **environment(),
        # `python3` of cdk.json, `node` of jsii and `cdk` are the ones beside this Python
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(_directory(run_dir / "home")),
        "TMPDIR": str(_directory(run_dir / "tmp")),
        # a copy of the CDK's JavaScript, 200 MB: made once, not for each lab
        "JSII_RUNTIME_PACKAGE_CACHE": "enabled",
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(
            _directory(layout.ROOT / "build" / "cache" / "jsii")
        ),
        "CI": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
    }


def _cdk_command() -> str:
    """The CDK command that `make setup` puts beside this Python; it brings its own Node along."""
    command = Path(sys.executable).parent / "cdk"
    if not command.exists():
        msg = f"the CDK command is not at {command}: run `make setup`"
        raise LabError(msg)
    return str(command)


def _directory(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _last(lines: list[str]) -> str:
    meant = [
        " ".join(line.split())
        for line in lines
        if line.strip() and not line.strip().startswith(CHATTER)
    ]
    telling = [line for line in meant if any(mark in line for mark in TELLING)]
    return " | ".join(dict.fromkeys(telling[-LAST_LINES:] or meant[-LAST_LINES:]))


def _tail(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
