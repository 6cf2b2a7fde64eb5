"""The stand-in: a HAProxy that the resync runs for a node that is newer than the last deployment."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from constructs import Construct

from nodeway.constructs.proxies.fleet import Fleet
from nodeway.constructs.proxies.task import HaproxyTasks, haproxy_task
from nodeway_runtime.aws.ecs import STAND_IN_TAG


class StandIn(Construct):
    """A task definition without a node, and a zone in which such tasks resolve their nodes.

    `lambda/nodeway_runtime/planner/stand_ins.py` plans the tasks. `zone_name`: the name of that zone.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        fleet: Fleet,
        haproxies: HaproxyTasks,
        zone_name: str,
        prefix: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.fleet = fleet
        self.zone = route53.PrivateHostedZone(
            self,
            "Parking",
            zone_name=zone_name,
            vpc=fleet.vpc,
            comment="where stand-ins find their nodes; records by nodeway resync",
        )
        # RunTask overrides the node's name; this one does not resolve
        self.task = haproxy_task(
            self,
            "Task",
            haproxies=haproxies,
            node=f"unnamed.{self.zone.zone_name}",
            family=f"{prefix}-stand-in",
            stream_prefix="stand-in",
            tags={},
        )

    def settings(self) -> dict[str, Any]:
        """Returns the parameters that `nodeway_runtime.model.settings.StandInSettings` reads in the resync function."""
        return {
            # the family without a revision, as a used export cannot be changed
            "task_definition": self.task.family,
            "subnets": [subnet_id for subnet_id, _ in self.fleet.network.subnets],
            "security_group": self.fleet.security_group_id,
            "parking_zone_id": self.zone.hosted_zone_id,
            "parking_zone_name": self.zone.zone_name,
        }

    def revisions_arn(self) -> str:
        """Returns the ARN pattern of all revisions of the task definition."""
        return cdk.Stack.of(self).format_arn(
            service="ecs", resource="task-definition", resource_name=f"{self.task.family}:*"
        )

    def grant_run(self, grantee: iam.IGrantable) -> None:
        """Permits the grantee to start, tag and stop stand-ins of this fleet, and to write the stand-in zone."""
        tasks = self.fleet.tasks_arn(self)
        ours = {"StringEquals": {f"aws:ResourceTag/{STAND_IN_TAG}": "true"}}
        in_cluster = {"ArnEquals": {"ecs:cluster": self.fleet.cluster.cluster_arn}}
        zone_arn = self.zone.hosted_zone_arn
        keys = "route53:ChangeResourceRecordSets"
        for statement in (
            iam.PolicyStatement(
                sid="RunStandIns",
                actions=["ecs:RunTask"],
                resources=[self.revisions_arn()],
                conditions=in_cluster,
            ),
            iam.PolicyStatement(
                sid="TagNewStandIns",
                actions=["ecs:TagResource"],
                resources=[tasks],
                conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
            ),
            # so that no tag turns another task into a stand-in
            iam.PolicyStatement(
                sid="RetireStandIns",
                actions=["ecs:StopTask", "ecs:TagResource"],
                resources=[tasks],
                conditions=ours,
            ),
            iam.PolicyStatement(
                sid="PassTaskRoles",
                actions=["iam:PassRole"],
                resources=[self.fleet.task_role.role_arn, self.fleet.execution_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
            iam.PolicyStatement(
                sid="ReadParking", actions=["route53:ListResourceRecordSets"], resources=[zone_arn]
            ),
            iam.PolicyStatement(
                sid="WriteParking",
                actions=["route53:ChangeResourceRecordSets"],
                resources=[zone_arn],
                conditions={
                    "ForAllValues:StringEquals": {
                        f"{keys}RecordTypes": ["A", "CNAME"],
                        f"{keys}Actions": ["CREATE", "DELETE"],
                    },
                    "ForAllValues:StringLike": {
                        f"{keys}NormalizedRecordNames": [f"*.{self.zone.zone_name}"]
                    },
                },
            ),
        ):
            grantee.grant_principal.add_to_principal_policy(statement)
