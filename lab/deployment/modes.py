"""The access modes of the lab: how each is deployed, and which variables its clients get."""

import json
import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from lab import layout
from lab.deployment import cdk as aws
from lab.deployment.product import Product, client
from lab.state_files import write_json

ENVOY_USERNAME = "shop"
"""What clients log in to Envoy with; Envoy logs in to the nodes with the cluster's own user."""

SHARED_BLOCK = {
    "proxy": "shared",
    "clients": ["redis-py"],
    "cache_cidrs": [str(layout.CACHE_VPC.cidr)],
}
"""What a user writes for shared HAProxies."""
SHARED_FLEET = f"{layout.REPLICATION_GROUP}-shared"


class AccessMode(StrEnum):
    """How clients reach the cluster, by the name that they find in LAB_WAY."""

    PER_NODE = "per-node"
    ENVOY_RESP2 = "envoy-resp2"
    ENVOY_RESP3 = "envoy-resp3"
    SHARED = "shared"

    @property
    def by_envoy(self) -> bool:
        """Whether clients connect to Envoy, which hides the cluster, and not to the nodes."""
        return self in {AccessMode.ENVOY_RESP2, AccessMode.ENVOY_RESP3}


def environment(mode: AccessMode, run_dir: Path) -> dict[str, str]:
    """The LAB_ variables of a program in the client's network."""
    file = "envoy.json" if mode.by_envoy else "credentials.json"
    login = json.loads((run_dir / file).read_text())
    endpoint = layout.ENVOY_ENDPOINT if mode.by_envoy else layout.CONFIGURATION_ENDPOINT
    port = layout.PORT + 1 if mode is AccessMode.ENVOY_RESP3 else layout.PORT
    return {
        "LAB_WAY": mode.value,
        "LAB_ENDPOINT": endpoint,
        "LAB_PORT": str(port),
        "LAB_CA_FILE": str(run_dir / "ca.pem"),
        "LAB_USERNAME": login["username"],
        "LAB_PASSWORD": login["password"],
    }


def ready(mode: AccessMode, run_dir: Path) -> bool:
    """Whether the mode has been deployed into this lab."""
    if mode.by_envoy:
        return (run_dir / "envoy.json").exists()
    return bool(Product(SHARED_FLEET).stacks()) == (mode is AccessMode.SHARED)


def deploy(mode: AccessMode, run_dir: Path) -> None:
    """Run `cdk deploy` for the mode; Envoys come beside the HAProxies. Raises LabError."""
    if not mode.by_envoy:
        deploy_haproxies(mode)
        return
    told = run_dir / "envoy.secrets.json"
    if not told.exists():
        write_json(told, make_secrets(run_dir), mode=0o600)
    made = json.loads(told.read_text())
    aws.deploy(directory=aws.app_with(clusters=[block(), envoy_block(made["arns"])]))
    write_json(run_dir / "envoy.json", made["login"], mode=0o600)


def deploy_haproxies(mode: AccessMode) -> None:
    """Deploy HAProxies, for each node or shared. The zone belongs to one kind, so the other is destroyed first."""
    if mode is AccessMode.SHARED:
        if Product().stacks():
            aws.destroy()
        aws.deploy(directory=aws.app_with(clusters=[block() | SHARED_BLOCK]))
        return
    if Product(SHARED_FLEET).stacks():
        aws.destroy(directory=aws.app_with(clusters=[block() | SHARED_BLOCK]))
    aws.deploy()


def block() -> dict[str, Any]:
    """The configuration of the cluster of the environment `lab` in cdk.json."""
    settings = json.loads((layout.ROOT / "cdk.json").read_text())
    (cluster,) = settings["context"]["environments"]["lab"]["clusters"]
    return dict(cluster)


def envoy_block(arns: Mapping[str, str]) -> dict[str, Any]:
    """The configuration of Envoy as a user writes it, with the ARNs of the secrets."""
    own = {key: value for key, value in block().items() if key != "probe"}
    return own | {
        "proxy": "envoy",
        "envoy": {
            "downstream_username": ENVOY_USERNAME,
            "downstream_secret_arns": [arns["downstream"]],
            "tls_secret_arn": arns["tls"],
            "upstream_username": "app",
            "upstream_secret_arn": arns["upstream"],
        },
    }


def make_secrets(run_dir: Path) -> dict[str, Any]:
    """Put Envoy's secrets into Secrets Manager, as an operator does; returns their ARNs and the clients' login."""
    login = {"username": ENVOY_USERNAME, "password": secrets.token_urlsafe(24)}
    pem = (run_dir / "envoy.pem").read_text()
    key, begin, chain = pem.partition("-----BEGIN CERTIFICATE-----")
    nodes = json.loads((run_dir / "credentials.json").read_text())
    values = {
        "downstream": login,
        "upstream": nodes,
        "tls": {"certificate": begin + chain, "private_key": key},
    }
    manager = client("secretsmanager")
    arns = {
        name: manager.create_secret(Name=f"lab/envoy/{name}", SecretString=json.dumps(value))["ARN"]
        for name, value in values.items()
    }
    return {"arns": arns, "login": login}
