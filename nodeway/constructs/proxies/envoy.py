"""Envoy's Redis filter, for clients without cluster mode and for clusters that announce addresses.

Envoy terminates the clients' TLS and checks their login. It has its own TLS and login with the nodes. ECS injects its
secrets from Secrets Manager when a task starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from nodeway.constructs.elasticache import iam_login
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.parts import PART_ID
from nodeway.constructs.proxies.envoy_metrics import EnvoyMetrics
from nodeway.constructs.proxies.fleet import Fleet, Kind
from nodeway.constructs.proxies.service import fleet_service, fleet_tags
from nodeway.constructs.proxies.settings import ProxiedCluster
from nodeway.constructs.proxies.task import Definition, open_files_limit, proxy_task
from nodeway.envoy.render import (
    IMAGE,
    RESP3_PORT_OFFSET,
    START_SCRIPT,
    EnvoySpec,
    Iam,
    ReadPolicy,
    render,
)

CONTAINER = "envoy"
STREAM_PREFIX = "envoy"
REPORT_SECONDS = 60
GRACE_SECONDS = 30
"""Time for which a stopping Envoy still accepts connections: enough for the event, the resync, Route 53's propagation
and the TTL."""
DRAIN_SECONDS = 30
"""Time after that, in which Envoy closes each client's connection after its next command."""
HEALTH_CHECK = {
    "command": [
        "CMD",
        "bash",
        "-c",
        (
            f"exec 3<>/dev/tcp/127.0.0.1/{EnvoySpec.ADMIN_PORT}"
            " && printf 'GET /ready HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3"
            " && grep -q LIVE <&3"
        ),
    ],
    "interval": 5,
    "timeout": 2,
    "retries": 3,
    "startPeriod": 10,
}
"""A check of Envoy alone, not of the nodes. Times are in seconds."""
PLAIN_VARIABLES = "the variables are the public configuration text and numbers; passwords and the key come as secrets"


@dataclass(frozen=True, slots=True)
class EnvoyLogins:
    """How clients log in to Envoy (`downstream_…`), and Envoy to the nodes (`upstream_…`).

    Each ARN is that of a secret which is a JSON object with the key `password`, or for TLS with the keys `certificate`
    and `private_key`. `upstream_iam`: Envoy logs in as `upstream_username` with IAM authentication.
    """

    downstream_secret_arns: tuple[str, ...]
    downstream_username: str = ""
    tls_secret_arn: str | None = None
    upstream_secret_arn: str | None = None
    upstream_username: str = ""
    upstream_iam: bool = False
    read_policy: ReadPolicy = "primary"
    image: str = IMAGE


class Envoys(Construct):
    """The Envoys of one cluster: at least two tasks over availability zones."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        cluster: ProxiedCluster,
        logins: EnvoyLogins,
        tasks: int,
    ) -> None:
        super().__init__(scope, construct_id)
        permissions = (
            "log in to the nodes, by IAM" if logins.upstream_iam else "no permission at all"
        )
        port = cluster.topology.port
        ports = sorted({port, port + RESP3_PORT_OFFSET})
        kind = Kind("Envoy", "Envoys", logins.image, ports, permissions)
        self.fleet = Fleet(self, PART_ID, cluster=cluster, kind=kind)
        self.spec = envoy_spec(cluster, logins, cdk.Stack.of(self).region)
        secrets = list_secrets(logins)
        grant_secrets(self.fleet.execution_role, secrets)
        if logins.upstream_iam:
            group_id, username = cluster.replication_group_id, logins.upstream_username
            self.fleet.task_role.add_to_policy(iam_login(self, "LogIn", group_id, username))
        tags = fleet_tags(cluster.label)
        workers = max(1, cluster.settings.cpu // 1024)
        variables = {
            "ENVOY_CONFIG": render(self.spec),
            "ADMIN_PORT": str(EnvoySpec.ADMIN_PORT),
            "CLUSTER": cluster.label,
            "WORKERS": str(workers),
            "REPORT_SECONDS": str(REPORT_SECONDS),
            "GRACE_SECONDS": str(GRACE_SECONDS),
            "DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        task = self._task(logins, variables, secrets, f"{prefix}-{STREAM_PREFIX}", tags)
        fleet_service(self, "Service", fleet=self.fleet, task=task, tasks=tasks, tags=tags)
        EnvoyMetrics(self, "Metrics", log_group=self.fleet.log_group)
        for name, text in find_warnings(self.spec):
            cdk.Annotations.of(self).add_warning_v2(f"nodeway:envoy-{name}", text)

    def _task(
        self,
        logins: EnvoyLogins,
        variables: dict[str, str],
        secrets: dict[str, str],
        family: str,
        tags: dict[str, str],
    ) -> Definition:
        container = {
            "name": CONTAINER,
            "image": logins.image,
            "entryPoint": ["bash", "-c"],
            "command": [START_SCRIPT],
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
            "secrets": [{"name": name, "valueFrom": value} for name, value in secrets.items()],
            "user": "envoy",
            "portMappings": [
                {"containerPort": listener.port, "protocol": "tcp"}
                for listener in self.spec.listeners
            ],
            "ulimits": open_files_limit(self.spec.open_files),
            "healthCheck": HEALTH_CHECK,
        }
        task = proxy_task(
            self,
            "Task",
            settings=self.fleet.task_settings,
            container=container,
            family=family,
            stream_prefix=STREAM_PREFIX,
            tags=tags,
        )
        acknowledge(task, "ECS2", PLAIN_VARIABLES)
        return task


def envoy_spec(cluster: ProxiedCluster, logins: EnvoyLogins, region: str) -> EnvoySpec:
    """Returns the parameters of the cluster's Envoys."""
    topology = cluster.topology
    passwords = range(1, len(logins.downstream_secret_arns) + 1)
    return EnvoySpec(
        endpoint=topology.configuration_endpoint,
        port=topology.port,
        memory_mib=cluster.settings.memory_mib,
        downstream_passwords=tuple(f"DOWNSTREAM_PASSWORD_{number}" for number in passwords),
        downstream_username=logins.downstream_username,
        downstream_tls=logins.tls_secret_arn is not None,
        upstream_username=logins.upstream_username,
        upstream_password="UPSTREAM_PASSWORD" if logins.upstream_secret_arn else "",
        upstream_tls=topology.tls,
        iam=Iam(cluster.replication_group_id, region) if logins.upstream_iam else None,
        reads=logins.read_policy,
    )


def find_warnings(spec: EnvoySpec) -> Iterator[tuple[str, str]]:
    """Yields the id and the text of each warning about the parameters."""
    if not spec.downstream_tls:
        yield (
            "clients-without-tls",
            "The clients' password and data are not encrypted in transit: give tls_secret_arn (docs/envoy.md).",
        )
    if not spec.upstream_tls:
        yield (
            "nodes-without-tls",
            "The group has no encryption in transit, so the data between Envoy and the nodes is not encrypted.",
        )
    if spec.iam:
        yield (
            "iam",
            "With upstream_iam most commands need one more hop, and MULTI fails with MOVED (docs/envoy.md).",
        )


def list_secrets(logins: EnvoyLogins) -> dict[str, str]:
    """Returns each environment variable with the secret's ARN and the JSON key, in the form of ECS.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    """
    secrets = {
        f"DOWNSTREAM_PASSWORD_{number}": f"{arn}:password::"
        for number, arn in enumerate(logins.downstream_secret_arns, 1)
    }
    if logins.upstream_secret_arn:
        secrets["UPSTREAM_PASSWORD"] = f"{logins.upstream_secret_arn}:password::"
    if logins.tls_secret_arn:
        secrets["TLS_CERTIFICATE"] = f"{logins.tls_secret_arn}:certificate::"
        secrets["TLS_PRIVATE_KEY"] = f"{logins.tls_secret_arn}:private_key::"
    return secrets


def grant_secrets(role: iam.Role, secrets: dict[str, str]) -> None:
    """Permits the role to read these secrets."""
    arns = sorted({reference.rsplit(":", 3)[0] for reference in secrets.values()})
    role.add_to_policy(
        iam.PolicyStatement(
            sid="ReadSecrets", actions=["secretsmanager:GetSecretValue"], resources=arns
        )
    )
