"""A fleet behind one name: a service whose tasks all serve every node, spread over availability zones."""

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from nodeway.constructs.proxies.nodes import NEW_BEFORE_OLD
from nodeway_runtime.aws.ecs import FLEET_TAG

if TYPE_CHECKING:
    from nodeway.constructs.proxies.fleet import FleetStack


def fleet_tags(cluster_label: str) -> dict[str, str]:
    """What the resync function knows the fleet's tasks by."""
    return {FLEET_TAG: cluster_label}


def fleet_service(
    scope: Construct,
    construct_id: str,
    *,
    fleet: "FleetStack",
    task: ecs.CfnTaskDefinition,
    tasks: int,
    tags: dict[str, str],
) -> ecs.CfnService:
    """The service: new tasks before old ones, in all of the proxies' subnets."""
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
                "securityGroups": [fleet.group_id],
                "subnets": [subnet_id for subnet_id, _ in fleet.network.subnets],
            }
        },
        propagate_tags="TASK_DEFINITION",
        availability_zone_rebalancing="ENABLED",
        tags=[cdk.CfnTag(key=key, value=value) for key, value in tags.items()],
    )
