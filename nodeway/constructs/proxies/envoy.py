"""Envoy's Redis filter as the way to a cluster: for clients without cluster mode, and clusters that announce addresses.

Envoy ends the client's TLS and login, and has its own with the nodes. Its secrets are in Secrets Manager: ECS gives
them to the task when it starts, and neither template nor log nor process list ever holds one.
"""

from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from nodeway.config.model import ClusterConfig, EnvironmentConfig, Envoy
from nodeway.constructs.nag import acknowledge
from nodeway.constructs.network.network import ProxyNetwork
from nodeway.constructs.proxies.envoy_metrics import EnvoyMetrics
from nodeway.constructs.proxies.fleet import FleetStack, Kind
from nodeway.constructs.proxies.shared_one_name import fleet_service, fleet_tags
from nodeway.constructs.proxies.task import Definition, open_files, proxy_task
from nodeway.envoy.render import RESP3_PORT_OFFSET, START_SCRIPT, EnvoySpec, Iam, render
from nodeway.errors import ConfigError
from nodeway.lookup.topology import KnownTopology

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


class EnvoyStack(FleetStack):
    """The Envoys of one cluster: at least two tasks over availability zones."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: EnvironmentConfig,
        cluster: ClusterConfig,
        topology: KnownTopology,
        network: ProxyNetwork | None,
        **stack: Any,  # noqa: ANN401 (Stack's own keyword arguments)
    ) -> None:
        how = settings_of(cluster)
        ports = sorted({topology.port, topology.port + RESP3_PORT_OFFSET})
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            cluster=cluster,
            topology=topology,
            network=network,
            kind=Kind("Envoy", "Envoys", how.image, ports, may_of(how)),
            **stack,
        )
        self.spec = spec_of(environment, cluster, topology)
        secrets = secrets_of(how)
        grant_secrets(self.execution_role, secrets)
        if how.upstream_iam:
            self._grant_login(cluster, how)
        tags = fleet_tags(cluster.label)
        task = self._task(cluster, secrets, tags)
        service = fleet_service(
            self, "Service", fleet=self, task=task, tasks=cluster.tasks, tags=tags
        )
        # a task that starts before its role may read the secrets would fail
        service.node.add_dependency(self.execution_role)
        EnvoyMetrics(self, "Metrics", log_group=self.log_group)
        for name, text in limits_of(self.spec):
            cdk.Annotations.of(self).add_warning_v2(f"nodeway:envoy-{name}", text)

    def _task(
        self, cluster: ClusterConfig, secrets: dict[str, str], tags: dict[str, str]
    ) -> Definition:
        variables = {
            "ENVOY_CONFIG": render(self.spec),
            "ADMIN_PORT": str(EnvoySpec.ADMIN_PORT),
            "CLUSTER": cluster.label,
            "WORKERS": str(max(1, self.config.cpu // 1024)),
            "REPORT_SECONDS": str(REPORT_SECONDS),
            "GRACE_SECONDS": str(GRACE_SECONDS),
            "DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        container = {
            "name": CONTAINER,
            "image": settings_of(cluster).image,
            "entryPoint": ["bash", "-c"],
            "command": [START_SCRIPT],
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
            "secrets": [{"name": name, "valueFrom": value} for name, value in secrets.items()],
            "user": "envoy",
            "portMappings": [
                {"containerPort": one.port, "protocol": "tcp"} for one in self.spec.listeners
            ],
            "ulimits": open_files(self.spec.open_files),
            "healthCheck": HEALTH_CHECK,
        }
        task = proxy_task(
            self, "Task", fleet=self, container=container, stream_prefix=STREAM_PREFIX, tags=tags
        )
        acknowledge(task, "ECS2", VARIABLES_SAY)
        return task

    def _grant_login(self, cluster: ClusterConfig, how: Envoy) -> None:
        """Lets the task log in to the group as one user (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html)."""
        names = (
            ("replicationgroup", cluster.replication_group_id),
            ("user", str(how.upstream_username)),
        )
        self.task_role.add_to_policy(
            iam.PolicyStatement(
                sid="LogIn",
                actions=["elasticache:Connect"],
                resources=[
                    self.format_arn(
                        service="elasticache",
                        resource=kind,
                        resource_name=name,
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                    for kind, name in names
                ],
            )
        )


def may_of(how: Envoy) -> str:
    """What a task may do in AWS, in words."""
    return "log in to the nodes, by IAM" if how.upstream_iam else "no permission at all"


def settings_of(cluster: ClusterConfig) -> Envoy:
    """The cluster's block `envoy`; raises ConfigError when it has none."""
    if cluster.envoy is None:
        msg = f"clusters: {cluster.replication_group_id} has proxy: envoy and no envoy block"
        raise ConfigError(msg)
    return cluster.envoy


def spec_of(
    environment: EnvironmentConfig, cluster: ClusterConfig, topology: KnownTopology
) -> EnvoySpec:
    """What the cluster's Envoys run with."""
    how = settings_of(cluster)
    passwords = range(1, len(how.downstream_secret_arns) + 1)
    return EnvoySpec(
        endpoint=topology.configuration_endpoint,
        port=topology.port,
        memory_mib=environment.memory,
        downstream_passwords=tuple(f"DOWNSTREAM_PASSWORD_{number}" for number in passwords),
        downstream_username=how.downstream_username or "",
        downstream_tls=how.tls_secret_arn is not None,
        upstream_username=how.upstream_username or "",
        upstream_password="UPSTREAM_PASSWORD" if how.upstream_secret_arn else "",
        upstream_tls=topology.tls,
        iam=Iam(cluster.replication_group_id, environment.region) if how.upstream_iam else None,
        reads=how.read_policy,
    )


def limits_of(spec: EnvoySpec) -> Iterator[tuple[str, str]]:
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


def secrets_of(how: Envoy) -> dict[str, str]:
    """Environment variable to the secret's ARN with the key in it, as ECS takes it.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    """
    found = {
        f"DOWNSTREAM_PASSWORD_{number}": f"{arn}:password::"
        for number, arn in enumerate(how.downstream_secret_arns, 1)
    }
    if how.upstream_secret_arn:
        found["UPSTREAM_PASSWORD"] = f"{how.upstream_secret_arn}:password::"
    if how.tls_secret_arn:
        found["TLS_CERTIFICATE"] = f"{how.tls_secret_arn}:certificate::"
        found["TLS_PRIVATE_KEY"] = f"{how.tls_secret_arn}:private_key::"
    return found


def grant_secrets(role: iam.Role, secrets: dict[str, str]) -> None:
    """Lets ECS read exactly these secrets for the task."""
    arns = sorted({one.rsplit(":", 3)[0] for one in secrets.values()})
    role.add_to_policy(
        iam.PolicyStatement(
            sid="ReadSecrets", actions=["secretsmanager:GetSecretValue"], resources=arns
        )
    )
