"""Whether the account's Fargate quota is enough for a deployment.

The quota is looked up with the topology, and cached in cdk.context.json too (`nodeway.lookup.topology`). With too small
a quota tasks do not start, in the middle of a deployment. A shortage is a warning, not an error. An unknown quota
counts as AWS's default.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from nodeway.config.model import EnvironmentConfig
from nodeway.lookup.topology import TIMEOUTS, KnownTopology, context_key, save_lookup
from nodeway_runtime.model.settings import Mode

SERVICE_CODE = "fargate"
QUOTA_CODE = "L-3032A538"
"""Fargate On-Demand vCPU resource count."""
DEFAULT_VCPU = 6.0
"""https://docs.aws.amazon.com/general/latest/gr/ecs-service.html"""


@dataclass(frozen=True, slots=True)
class Need:
    """The vCPU of an environment's proxies."""

    proxies: int
    steady: float
    """All services without a deployment."""
    rolling: float
    """During a deployment: one service of each shard, and every fleet, has its old and its new tasks."""
    at_most: float
    """During a deployment, with the maximum number of stand-ins."""


def quota_key(environment: EnvironmentConfig) -> str:
    """Returns the key in cdk.context.json, in the form of the CDK's own look-ups."""
    return f"nodeway:fargate-vcpu-quota:account={environment.account}:region={environment.region}"


def compute_need(environment: EnvironmentConfig, topologies: Sequence[KnownTopology]) -> Need:
    """Returns what the deployment needs; `topologies` are those of the clusters with proxies, in their order."""
    vcpu = environment.cpu / 1024
    proxied = list(zip(environment.proxied, topologies, strict=True))
    per_node = [topology for cluster, topology in proxied if cluster.has_proxy_per_node]
    fleets = sum(cluster.tasks for cluster, _ in proxied if not cluster.has_proxy_per_node)
    nodes = [node.cache_cluster_id for topology in per_node for node in topology.nodes]
    # a node's id is GROUP-SHARD-MEMBER
    shards = {node.rpartition("-")[0] for node in nodes}
    proxies = len(nodes) * environment.haproxies_per_node + fleets
    rolling = proxies + len(shards) * environment.haproxies_per_node + fleets
    stand_ins = len(per_node) * environment.max_stand_ins if environment.resync is Mode.ON else 0
    return Need(
        proxies=proxies,
        steady=proxies * vcpu,
        rolling=rolling * vcpu,
        at_most=(rolling + stand_ins) * vcpu,
    )


def load_quota(
    environment: EnvironmentConfig,
    context: Mapping[str, Any],
    look_up: Callable[[str], float | None] | None = None,
) -> float | None:
    """Returns the account's quota in vCPU; None if it is unknown.

    AWS is asked only in a synth that also asks it for a topology. A synth with configured or cached nodes needs
    neither credentials nor a network.
    """
    refresh = str(context.get("refresh", "false")).lower() == "true"
    keys = [context_key(environment, c) for c in environment.proxied if not c.nodes]
    if not any(refresh or key not in context for key in keys):
        cached = context.get(quota_key(environment))
        return float(cached) if isinstance(cached, int | float) else None
    quota = (look_up or fetch_quota)(environment.region)
    if quota is not None:
        save_lookup(quota_key(environment), quota)
    return quota


def fetch_quota(region: str) -> float | None:
    """Returns the quota in vCPU of the caller's account in this Region; None if it cannot be read."""
    try:
        client = boto3.client("service-quotas", region_name=region, config=TIMEOUTS)
        answer = client.get_service_quota(ServiceCode=SERVICE_CODE, QuotaCode=QUOTA_CODE)
        return float(answer["Quota"]["Value"])
    except (BotoCoreError, ClientError, KeyError):
        return None


def describe_shortages(
    environment: EnvironmentConfig,
    topologies: Sequence[KnownTopology],
    quota: float | None,
) -> tuple[str, ...]:
    """Returns sentences about the shortage; none if the quota is enough for a deployment with every stand-in."""
    need = compute_need(environment, topologies)
    allowed = DEFAULT_VCPU if quota is None else quota
    if need.at_most <= allowed:
        return ()
    size = environment.cpu / 1024
    has_envoys = any(cluster.proxy == "envoy" for cluster in environment.proxied)
    kind = "proxies" if has_envoys else "HAProxies"
    verdict = (
        "is not enough to deploy it"
        if need.steady > allowed
        else "is not enough during a deployment"
        if need.rolling > allowed
        else "is not enough if every allowed stand-in runs as well"
    )
    limit = f"the quota of account {environment.account} in {environment.region}"
    limit += (
        f" is unknown (look it up with -c refresh=true), and AWS's default of {allowed:g} vCPU"
        if quota is None
        else f", {allowed:g} vCPU,"
    )
    shortage = (
        f"Fargate On-Demand vCPU: {need.proxies} {kind} of {size:g} vCPU need {need.steady:g},"
        f" {need.rolling:g} during a deployment, {need.at_most:g} with every stand-in; {limit} {verdict}."
        " All other Fargate tasks in this account and Region count too."
    )
    return (
        shortage,
        f"Request more before the deployment: {request_command(environment.region, need)}",
    )


def request_command(region: str, need: Need) -> str:
    """Returns the AWS CLI command that requests a quota for this environment alone."""
    return (
        "aws service-quotas request-service-quota-increase"
        f" --service-code {SERVICE_CODE} --quota-code {QUOTA_CODE}"
        f" --desired-value {math.ceil(need.at_most)} --region {region}"
    )
