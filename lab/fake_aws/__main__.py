"""`python -m lab.fake_aws`: the fake AWS account of the lab, on 127.0.0.1 of the router's network.

ministack, with an overlay where it is laxer than AWS or lacks something: it runs ECS tasks as real processes
(lab.containers.container), serves ElastiCache from the lab's real cluster, evaluates IAM for every call, and refuses
what it does not support. Its state is in memory.
"""

import os
import tempfile

from lab import layout

KEPT = ("PATH", "LANG", "LC_ALL")
SETTINGS = {
    "AUTH": "true",
    "AWS_ACCESS_KEY_ID": layout.ACCOUNT,
    "AWS_DEFAULT_REGION": layout.REGION,
    "AWS_ENDPOINT_URL": layout.AWS_ENDPOINT,
    "BIND_HOST": "127.0.0.1",
    "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    "GATEWAY_PORT": str(layout.AWS_PORT),
    "HOME": "/nonexistent",
    "IOT_MTLS_ENABLED": "0",
    "LAMBDA_EXECUTOR": "local",
    "LOG_LEVEL": "INFO",
    "MINISTACK_ACCOUNT_ID": layout.ACCOUNT,
    "MINISTACK_REGION": layout.REGION,
    "PYTHONDONTWRITEBYTECODE": "1",
    "SFTP_ENABLED": "0",
}
"""The whole environment of the fake AWS: functions inherit it, and must see nothing of the machine."""


def main() -> None:
    """Serve until killed."""
    run_dir = layout.run_dir()
    scratch = run_dir / "aws"
    scratch.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | SETTINGS | {"TMPDIR": str(scratch), "LAB_RUN_DIR": str(run_dir)})
    tempfile.tempdir = None

    # ministack reads its settings when it is imported
    from ministack import app

    from lab.fake_aws import seed as overlay

    overlay.install(run_dir)
    app.main()


if __name__ == "__main__":
    main()
