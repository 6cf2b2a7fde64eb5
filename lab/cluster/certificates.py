"""The lab's certificate authority, a foreign one, and the nodes' certificate.

Keys are in the run directory, readable by their owner only.
"""

from datetime import datetime
from enum import StrEnum
from pathlib import Path

import trustme

from lab import layout

NODE = "node.pem"


class Authority(StrEnum):
    """Who signs: the name of the file with its certificate."""

    TRUSTED = "ca"
    FOREIGN = "wrong-ca"


def make(run_dir: Path) -> None:
    """Write ca.pem (what clients trust), wrong-ca.pem (what they must not), and node.pem and envoy.pem (mode 600).

    The nodes' certificate has the zone's wildcard as its name, as ElastiCache's has, so it cannot tell nodes apart.
    """
    for authority, organization in ((Authority.TRUSTED, "Lab"), (Authority.FOREIGN, "Foreign")):
        made = trustme.CA(organization_name=organization)
        made.cert_pem.write_to_path(run_dir / f"{authority}.pem")
        _private(run_dir / f"{authority}-key.pem").write_bytes(made.private_key_pem.bytes())
    issue(run_dir, NODE, f"*.{layout.ZONE}")
    issue(run_dir, "envoy.pem", layout.ENVOY_ENDPOINT)


def issue(
    run_dir: Path,
    file: str,
    *names: str,
    authority: Authority = Authority.TRUSTED,
    not_after: datetime | None = None,
) -> None:
    """Write a key and a certificate for these names (mode 600), valid until `not_after` or longer than any lab."""
    signer = trustme.CA.from_pem(
        (run_dir / f"{authority}.pem").read_bytes(),
        (run_dir / f"{authority}-key.pem").read_bytes(),
    )
    issued = signer.issue_cert(*names, not_after=not_after)
    issued.private_key_and_cert_chain_pem.write_to_path(_private(run_dir / file))


def _private(path: Path) -> Path:
    path.touch(mode=0o600)
    return path
