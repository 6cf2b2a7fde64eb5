"""The lab's certificate authority, a foreign one, and the nodes' certificate.

Keys live in the run directory, readable by their owner only. It must never be used outside of the lab.
"""

from pathlib import Path

import trustme

from lab import layout


def make(run_dir: Path) -> None:
    """Write ca.pem (what clients trust), wrong-ca.pem (what they must not), and node.pem and envoy.pem (mode 600).

    The nodes' certificate has the zone's wildcard as its name, as ElastiCache's has, so it cannot tell nodes apart.
    """
    authority = trustme.CA(organization_name="Lab")
    authority.cert_pem.write_to_path(run_dir / "ca.pem")
    trustme.CA(organization_name="Foreign").cert_pem.write_to_path(run_dir / "wrong-ca.pem")
    for name, file in ((f"*.{layout.ZONE}", "node.pem"), (layout.ENVOY_ENDPOINT, "envoy.pem")):
        path = run_dir / file
        path.touch(mode=0o600)
        authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(path)
