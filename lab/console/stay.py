"""`python -m lab.console.stay`: starts a lab with the product deployed, writes `ready`, and stays until a signal."""

import json
import signal
import sys
import time

from lab import layout
from lab.deployment import cdk as aws
from lab.deployment.world import Say, World
from lab.errors import LabError


def main() -> int:
    """Stay until SIGTERM or SIGINT; 1 when the lab could not start."""
    began = time.monotonic()

    def say(what: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:5.1f}s {what}\n")
        sys.stdout.flush()

    try:
        deployed(say)
    except LabError as error:
        say(f"the lab could not come up: {error}")
        return 1
    say("ready: nodeway lab run -- COMMAND")
    (layout.run_dir() / "ready").write_text(
        json.dumps({"endpoint": layout.CONFIGURATION_ENDPOINT, "port": layout.PORT})
    )
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    return 0


def deployed(say: Say) -> World:
    """Start a world and deploy the product into it; raises LabError."""
    world = World.start(layout.run_dir(), say)
    say("cdk deploy -c env=lab: the real app by the real CDK CLI")
    aws.deploy()
    return world


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    sys.exit(main())
