"""What is done with any template: cfn-lint reads it, and a snapshot keeps it."""

import json
import re
from typing import Any

from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]


def findings(template: dict[str, Any], *ignored: str) -> list[str]:
    """cfn-lint's findings. W3005 is left out: the CDK itself states dependencies twice."""
    config = ManualArgs(regions=["us-east-1"], ignore_checks=["W3005", *ignored])
    return [str(match) for match in lint(json.dumps(template), config=config)]


def without_hashes(template: dict[str, Any]) -> Any:  # noqa: ANN401 (any JSON)
    """The template as a snapshot keeps it: without hashes of files."""
    return json.loads(re.sub(r"[0-9a-f]{64}", "<hash>", json.dumps(template)))
