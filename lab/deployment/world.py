"""A running lab, from the inside: networks, fake AWS, resolvers, Valkey cluster, and the product deployed into it.

`World.start` starts the parts in the order in which they need each other. They end with the sandbox
(lab.host.sandbox). Deploying is a separate step: some scenarios come before it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab import layout
from lab.cluster import certificates
from lab.cluster import cluster as cache
from lab.cluster.node import find_server
from lab.deployment import cdk as aws
from lab.deployment import modes as ways
from lab.deployment.modes import AccessMode
from lab.deployment.product import client
from lab.errors import LabError
from lab.host import network
from lab.host import syscalls as linux
from lab.wait import wait_until

CLIENT_SECONDS = 300
"""What a program of the lab in the client's network may take."""
Say = Callable[[str], None]
"""Called with each step as it begins."""


@dataclass(frozen=True, slots=True)
class World:
    """The lab's parts; any process inside the sandbox can `attach` to them."""

    run_dir: Path
    cluster: cache.Cluster

    @staticmethod
    def start(run_dir: Path, say: Say) -> "World":
        """Start everything but the product. Raises LabError that names the part that did not start."""
        say("networks: client, proxy, cache")
        network.up(run_dir)
        certificates.make(run_dir)
        server = find_server()
        origin = "from PATH, as LAB_SERVER says" if server.tls else "the lab's own"
        say(f"fake AWS and a cluster with TLS, 3 shards x 2 nodes of {server.version} ({origin})")
        with ThreadPoolExecutor() as pool:
            fake_aws = pool.submit(aws.start, run_dir)
            cluster = pool.submit(cache.start, run_dir, server)
            fake_aws.result()
            world = World(run_dir, cluster.result())
        make_secret(run_dir)
        say("resolvers of the client's and the proxies' VPC")
        world.start_resolver()
        return world

    @staticmethod
    def attach(run_dir: Path) -> "World":
        """The world that runs in this sandbox; raises LabError when there is none."""
        return World(run_dir, cache.Cluster.attach(run_dir))

    def start_resolver(self) -> None:
        """Starts the two VPCs' resolvers and waits until they answer; `stop_resolver` ends them."""
        with (self.run_dir / "logs" / "resolver.out").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "lab.dns.server"],
                cwd=layout.ROOT,
                env={**os.environ, **aws.environment()},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

        (self.run_dir / "resolver.pid").write_text(str(process.pid))

        def answers() -> bool:
            if process.poll() is not None:
                msg = f"the resolver ended with exit code {process.returncode}; see {log.name}"
                raise LabError(msg)
            return (
                self.client(
                    ["getent", "hosts", layout.CONFIGURATION_ENDPOINT], check=False
                ).returncode
                == 0
            )

        wait_until(answers, timeout_seconds=60, what="the client's resolver to answer")

    def stop_resolver(self) -> None:
        """Kill both resolvers: no query is answered. Raises LabError when they do not end."""
        pid = int((self.run_dir / "resolver.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: not linux.alive(pid), timeout_seconds=60, what="the resolvers to have ended"
        )

    def client_environment(self, mode: AccessMode = AccessMode.PER_NODE) -> dict[str, str]:
        """The LAB_ variables of a program in the client's network."""
        return ways.environment(mode, self.run_dir)

    def client_command(
        self, argv: Sequence[str], mode: AccessMode = AccessMode.PER_NODE
    ) -> tuple[list[str], dict[str, str]]:
        """The words and the environment that run a command in the client's network."""
        return [*network.inside("client"), *argv], {**os.environ, **self.client_environment(mode)}

    def command_beside_proxies(self, argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """The words and the environment of a client in the proxies' network, which reaches the nodes directly."""
        return [*argv], {**os.environ, **self.client_environment()}

    def beside_proxies(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command with the proxy VPC's view of names, and wait for it."""
        return subprocess.run(
            list(argv), capture_output=True, text=True, timeout=CLIENT_SECONDS, check=False
        )

    def client(
        self, argv: Sequence[str], *, check: bool = True, mode: AccessMode = AccessMode.PER_NODE
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the client's network; raises LabError when `check` and it failed, or on a timeout."""
        words, environment = self.client_command(argv, mode)
        try:
            done = subprocess.run(
                words,
                env=environment,
                capture_output=True,
                text=True,
                timeout=CLIENT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            msg = f"{' '.join(argv)} did not end within {CLIENT_SECONDS} s in the client's network"
            raise LabError(msg) from None
        if check and done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            msg = f"{' '.join(argv)} ended with {done.returncode} in the client's network: {' '.join(last)}"
            raise LabError(msg)
        return done


def make_secret(run_dir: Path) -> None:
    """Put the probe's login into Secrets Manager, as an operator does."""
    login = (run_dir / "credentials.json").read_text()
    client("secretsmanager").create_secret(Name=layout.PROBE_SECRET, SecretString=login)
