"""Whether the account's Fargate quota is enough for a deploy: asked once, with the topology.

The answer is kept in cdk.context.json, as the topology is (`nodeway.lookup.topology`).
Too small a quota shows as tasks that never start, half-way through a deploy. It gives sentences and
never an error: AWS decides, and an unread quota is taken for AWS's default, which the sentence says.
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
    """All services at rest."""
    rolling: float
    """While a change rolls: in each shard one service at a time, and every fleet, runs its old and its new tasks."""
    at_most: float
    """That, and every stand-in that resync may run."""


def quota_key(environment: EnvironmentConfig) -> str:
    """The key in cdk.context.json, in the form of the CDK's own look-ups."""
    return f"nodeway:fargate-vcpu-quota:account={environment.account}:region={environment.region}"


def compute_need(environment: EnvironmentConfig, topologies: Sequence[KnownTopology]) -> Need:
    """What the deploy needs; `topologies` are those of the clusters with proxies."""
    vcpu = environment.cpu / 1024
    reached = list(zip(environment.proxied, topologies, strict=True))
    own = [topology for cluster, topology in reached if cluster.by_node]
    fleets = sum(cluster.tasks for cluster, _ in reached if not cluster.by_node)
    nodes = [node.cache_cluster_id for topology in own for node in topology.nodes]
    # a node's id is GROUP-SHARD-MEMBER
    shards = {name.rpartition("-")[0] for name in nodes}
    proxies = len(nodes) * environment.haproxies_per_node + fleets
    rolling = proxies + len(shards) * environment.haproxies_per_node + fleets
    watched = len(own) if environment.resync is Mode.ON else 0
    return Need(
        proxies=proxies,
        steady=proxies * vcpu,
        rolling=rolling * vcpu,
        at_most=(rolling + watched * environment.max_stand_ins) * vcpu,
    )


def load_quota(
    environment: EnvironmentConfig,
    context: Mapping[str, Any],
    look_up: Callable[[str], float | None] | None = None,
) -> float | None:
    """The account's quota in vCPU, None when it is unknown.

    AWS is asked in the synth that asks it for a topology too, and in no other: a synth with all nodes by
    hand, or from cdk.context.json, needs neither credentials nor a network.
    """
    refresh = str(context.get("refresh", "false")).lower() == "true"
    discovered = [one for one in environment.proxied if not one.nodes]
    if not any(refresh or context_key(environment, one) not in context for one in discovered):
        cached = context.get(quota_key(environment))
        return float(cached) if isinstance(cached, int | float) else None
    quota = (look_up or fetch_quota)(environment.region)
    if quota is not None:
        save_lookup(quota_key(environment), quota)
    return quota


def fetch_quota(region: str) -> float | None:
    """What Service Quotas says of this Region in the caller's account; None when it does not say."""
    try:
        client = boto3.client("service-quotas", region_name=region, config=TIMEOUTS)
        told = client.get_service_quota(ServiceCode=SERVICE_CODE, QuotaCode=QUOTA_CODE)
        return float(told["Quota"]["Value"])
    except (BotoCoreError, ClientError, KeyError):
        return None


def describe_shortages(
    environment: EnvironmentConfig,
    topologies: Sequence[KnownTopology],
    quota: float | None,
) -> tuple[str, ...]:
    """Sentences for a person, none when the quota is enough for the worst hour."""
    need = compute_need(environment, topologies)
    allowed = DEFAULT_VCPU if quota is None else quota
    if need.at_most <= allowed:
        return ()
    size = environment.cpu / 1024
    has_envoys = any(cluster.proxy == "envoy" for cluster in environment.proxied)
    kind = "proxies" if has_envoys else "HAProxies"
    short = (
        "is not enough to deploy it"
        if need.steady > allowed
        else "is not enough while a change rolls"
        if need.rolling > allowed
        else "is not enough when every allowed stand-in runs as well"
    )
    is_told = (
        f"the quota of account {environment.account} in {environment.region}, {allowed:g} vCPU,"
        if quota is not None
        else f"the quota of account {environment.account} in {environment.region} is not known"
        f" (renew with -c refresh=true), and AWS's default of {allowed:g} vCPU"
    )
    told = (
        f"Fargate On-Demand vCPU: {need.proxies} {kind} of {size:g} vCPU need {need.steady:g},"
        f" {need.rolling:g} while a change rolls, {need.at_most:g} with every stand-in; {is_told}"
        f" {short}. All else that runs on Fargate in this account and Region counts too."
    )
    return (told, f"Ask for more before the deploy: {request_command(environment.region, need)}")


def request_command(region: str, need: Need) -> str:
    """The command that asks AWS for a quota that this environment alone fits in."""
    return (
        "aws service-quotas request-service-quota-increase"
        f" --service-code {SERVICE_CODE} --quota-code {QUOTA_CODE}"
        f" --desired-value {math.ceil(need.at_most)} --region {region}"
    )
