"""The ECS services of proxies."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from nodeway.constructs.proxies.fleet import Fleet
from nodeway_runtime.aws.ecs import FLEET_TAG

NEW_BEFORE_OLD = {
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
}


def fleet_tags(cluster_label: str) -> dict[str, str]:
    """Returns the tags by which the resync finds the fleet's tasks."""
    return {FLEET_TAG: cluster_label}


def fleet_service(
    scope: Construct,
    construct_id: str,
    *,
    fleet: Fleet,
    task: ecs.CfnTaskDefinition,
    tasks: int,
    tags: Mapping[str, str],
) -> ecs.CfnService:
    """Creates the service of a fleet that serves all nodes, in all subnets of the proxies."""
    service = proxy_service(
        scope,
        construct_id,
        fleet=fleet,
        task=task,
        tasks=tasks,
        subnet_ids=[subnet_id for subnet_id, _ in fleet.network.subnets],
        rebalancing="ENABLED",
        tags=tags,
    )
    # a task that starts before its role has its permissions fails
    service.node.add_dependency(fleet.execution_role)
    return service


def proxy_service(
    scope: Construct,
    construct_id: str,
    *,
    fleet: Fleet,
    task: ecs.CfnTaskDefinition,
    tasks: int,
    subnet_ids: list[str],
    rebalancing: str,
    tags: Mapping[str, str],
) -> ecs.CfnService:
    """Creates a Fargate service without public addresses, which stops old tasks after new ones are healthy."""
    return ecs.CfnService(
        scope,
        construct_id,
        cluster=fleet.cluster_name,
        task_definition=task.ref,
        desired_count=tasks,
        launch_type="FARGATE",
        deployment_configuration=NEW_BEFORE_OLD,
        network_configuration={
            "awsvpcConfiguration": {
                "assignPublicIp": "DISABLED",
                "securityGroups": [fleet.security_group_id],
                "subnets": subnet_ids,
            }
        },
        propagate_tags="TASK_DEFINITION",
        availability_zone_rebalancing=rebalancing,
        tags=[cdk.CfnTag(key=key, value=value) for key, value in tags.items()],
    )
