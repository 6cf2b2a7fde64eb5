"""A fault of what the probe itself is given: a secret whose password is not the nodes' own any more."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from lab import layout
from lab.deployment.product import client
from lab.deployment.world import World
from lab.errors import LabError
from lab.faults.expected_verdicts import ExpectedVerdicts, expect_verdicts
from lab.faults.nodes import ENDPOINT, all_names
from nodeway_runtime.paths.verdicts import Verdict

WRONG_PASSWORD = "not-the-password-of-any-node"


@contextmanager
def wrong_secret(world: World) -> Iterator[ExpectedVerdicts]:
    """Somebody has written a wrong password into the probe's secret: every node refuses it."""
    manager = client("secretsmanager")
    try:
        before = manager.get_secret_value(SecretId=layout.PROBE_SECRET)["SecretString"]
    except ClientError as error:
        raise LabError(
            f"the probe's secret {layout.PROBE_SECRET} cannot be read: {error}"
        ) from error
    wrong = json.dumps(json.loads(before) | {"password": WRONG_PASSWORD})
    manager.put_secret_value(SecretId=layout.PROBE_SECRET, SecretString=wrong)
    try:
        yield expect_verdicts(
            *all_names(world), verdicts=(Verdict.WRONG_PASSWORD,), beside=ENDPOINT
        )
    finally:
        manager.put_secret_value(SecretId=layout.PROBE_SECRET, SecretString=before)
