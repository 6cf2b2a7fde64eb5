"""What tests need to start a real Envoy: its program, certificates, and the secrets that ECS would give to it."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import trustme

_found = find_spec("envoy")
ENVOY = str(Path(str(_found.origin)).parent / "_bin" / "envoy") if _found else "envoy"


@dataclass(frozen=True, slots=True)
class Certificates:
    """A certificate authority's file, and a certificate of it with its key, in PEM."""

    authority: Path
    chain: str
    key: str


def certificates(directory: Path, *names: str) -> Certificates:
    """A new authority, and a certificate for these names."""
    authority = trustme.CA()
    path = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    leaf = authority.issue_cert(*(names or ("redis.demo.lab.nodeway.internal",)))
    chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
    return Certificates(path, chain.decode(), leaf.private_key_pem.bytes().decode())


def secrets(made: Certificates) -> dict[str, str]:
    """Every variable that a configuration may name."""
    return {
        "DOWNSTREAM_PASSWORD_1": "first-of-the-clients",
        "DOWNSTREAM_PASSWORD_2": "second-of-the-clients",
        "UPSTREAM_PASSWORD": "of-the-nodes",
        "TLS_CERTIFICATE": made.chain,
        "TLS_PRIVATE_KEY": made.key,
    }
