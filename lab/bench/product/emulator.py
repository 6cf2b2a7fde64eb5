"""`python -m lab.bench.product.emulator`: ministack over HTTP on loopback, with the lab's ElastiCache and Route 53.

No task is a process, and IAM is not evaluated. ECS describes the tasks of `tasks.json` in LAB_RUN_DIR, ElastiCache its
own file there.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import layout
from lab.fake_aws import __main__ as fake_aws

ECS_CLUSTER = "bench"

Answer = tuple[int, dict[str, str], bytes]


def main() -> None:
    """Serve until killed, on the port that GATEWAY_PORT says."""
    directory, port = layout.run_dir(), os.environ["GATEWAY_PORT"]
    kept = {name: os.environ[name] for name in fake_aws.KEPT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | fake_aws.SETTINGS | {"LAB_RUN_DIR": str(directory)})
    os.environ |= {"GATEWAY_PORT": port, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    os.environ |= {"LOG_LEVEL": "WARNING", "TMPDIR": str(directory)}

    # ministack reads its settings when it is imported
    from ministack import app
    from ministack.services import ecs

    from lab.fake_aws import elasticache as overlay_elasticache
    from lab.fake_aws import route53 as overlay_route53

    overlay_route53.install()
    overlay_elasticache.install()
    for action in ("ListTasks", "DescribeTasks"):
        ecs._ACTION_MAP[action] = with_tasks(ecs._ACTION_MAP[action], directory / "tasks.json")
    app.main()


def with_tasks(
    answer: Callable[[dict[str, Any]], Answer], path: Path
) -> Callable[[dict[str, Any]], Answer]:
    """The action, which answers from the file's tasks; it reads the file again when that has changed."""
    from ministack.services import ecs

    read_at = 0

    def answer_from_file(request: dict[str, Any]) -> Answer:
        nonlocal read_at
        written_at = path.stat().st_mtime_ns
        if written_at != read_at:
            read_at = written_at
            tasks = json.loads(path.read_text())
            ecs._clusters[ECS_CLUSTER] = {"clusterName": ECS_CLUSTER, "status": "ACTIVE"}
            for gone in list(ecs._tasks.keys()):
                del ecs._tasks[gone]
            for one in tasks:
                ecs._tags[one["taskArn"]] = one["tags"]
                ecs._tasks[one["taskArn"]] = one
        return answer(request)

    return answer_from_file


if __name__ == "__main__":
    main()
