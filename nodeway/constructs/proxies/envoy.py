"""Envoy's Redis filter as the way to a cluster: for clients without cluster mode, and clusters that announce addresses.

Envoy ends the client's TLS and login, and has its own with the nodes. Its secrets are in Secrets Manager: ECS gives
them to the task when it starts, and neither template nor log nor process list ever holds one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

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
"""How long a stopping Envoy still accepts: the event, the run, Route 53's propagation and the records' TTL fit in."""
DRAIN_SECONDS = 30
"""How long its clients then have to send one more command, behind whose answer their connection is closed."""
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
"""Says that Envoy lives, never that the nodes do. Seconds."""
VARIABLES_SAY = "the variables are the public configuration text and numbers; passwords and the key come as secrets"


@dataclass(frozen=True, slots=True)
class EnvoyLogins:
    """How Envoy's clients log in with it, and it with the nodes.

    A secret is a JSON object with the key `password`, or for TLS with `certificate` and `private_key`; only its ARN
    stands here. `upstream_iam`: Envoy logs in to the group as `upstream_username` by IAM.
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
        secrets = secrets_of(logins)
        grant_secrets(self.fleet.execution_role, secrets)
        if logins.upstream_iam:
            self._grant_login(cluster.replication_group_id, logins)
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
        for name, text in warnings_of(self.spec):
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
                {"containerPort": one.port, "protocol": "tcp"} for one in self.spec.listeners
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
        acknowledge(task, "ECS2", VARIABLES_SAY)
        return task

    def _grant_login(self, replication_group_id: str, logins: EnvoyLogins) -> None:
        """Lets the task log in to the group as one user (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html)."""
        names = (
            ("replicationgroup", replication_group_id),
            ("user", logins.upstream_username),
        )
        self.fleet.task_role.add_to_policy(
            iam.PolicyStatement(
                sid="LogIn",
                actions=["elasticache:Connect"],
                resources=[
                    cdk.Stack.of(self).format_arn(
                        service="elasticache",
                        resource=kind,
                        resource_name=name,
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                    for kind, name in names
                ],
            )
        )


def envoy_spec(cluster: ProxiedCluster, logins: EnvoyLogins, region: str) -> EnvoySpec:
    """What the cluster's Envoys run with."""
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


def warnings_of(spec: EnvoySpec) -> Iterator[tuple[str, str]]:
    """What a person should have decided on purpose: a short name for each, and a sentence."""
    if not spec.downstream_tls:
        yield (
            "clients-without-tls",
            "The clients' password and data cross the network in clear: give tls_secret_arn (docs/envoy.md).",
        )
    if not spec.upstream_tls:
        yield (
            "nodes-without-tls",
            "The group has no encryption in transit: what Envoy sends to its nodes is in clear.",
        )
    if spec.iam:
        yield (
            "iam",
            "With upstream_iam most commands take one hop more, and MULTI fails with MOVED (docs/envoy.md).",
        )


def secrets_of(logins: EnvoyLogins) -> dict[str, str]:
    """Environment variable to the secret's ARN with the key in it, as ECS takes it.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    """
    found = {
        f"DOWNSTREAM_PASSWORD_{number}": f"{arn}:password::"
        for number, arn in enumerate(logins.downstream_secret_arns, 1)
    }
    if logins.upstream_secret_arn:
        found["UPSTREAM_PASSWORD"] = f"{logins.upstream_secret_arn}:password::"
    if logins.tls_secret_arn:
        found["TLS_CERTIFICATE"] = f"{logins.tls_secret_arn}:certificate::"
        found["TLS_PRIVATE_KEY"] = f"{logins.tls_secret_arn}:private_key::"
    return found


def grant_secrets(role: iam.Role, secrets: dict[str, str]) -> None:
    """Lets ECS read exactly these secrets for the task."""
    arns = sorted({one.rsplit(":", 3)[0] for one in secrets.values()})
    role.add_to_policy(
        iam.PolicyStatement(
            sid="ReadSecrets", actions=["secretsmanager:GetSecretValue"], resources=arns
        )
    )
