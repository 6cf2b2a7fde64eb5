"""The resync function, its triggers, and its run at the end of every deployment."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import aws_cdk as cdk
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from nodeway.constructs.nag import acknowledge
from nodeway.constructs.parts import deploy_after
from nodeway.constructs.powertools import powertools_layer
from nodeway.constructs.proxies.fleet import Fleet, tasks_export
from nodeway.constructs.proxies.modes import Proxies, ProxyMode
from nodeway.constructs.proxies.settings import ProxiedCluster
from nodeway.constructs.records.grants import (
    grant_task_reads,
    grant_topology_reads,
    nag_location,
)
from nodeway.constructs.records.settings import RecordSettings
from nodeway.constructs.records.stand_in import StandIn
from nodeway.constructs.records.triggers import Triggers
from nodeway.constructs.records.zone import ClientsZone
from nodeway.constructs.runtime_function import NOT_CODE, PACKAGE, role_policy, runtime_function
from nodeway.haproxy.render import TEMPLATES
from nodeway_runtime.model.settings import Mode

MEMORY_MIB = 256
TIMEOUT = cdk.Duration.minutes(10)
"""The deployment's run waits until the last HAProxy is healthy. A scheduled run takes seconds."""


class Resync(Construct):
    """The function that writes the records of one zone, with its permissions, triggers and deployment run.

    `ttl`: the TTL of the records in seconds. `environment_name` and the cluster's label are the owner in the records'
    markers.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment_name: str,
        prefix: str,
        cluster: ProxiedCluster,
        mode: ProxyMode,
        proxies: Proxies,
        zone: ClientsZone,
        ttl: int,
        settings: RecordSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self.fleet_name = mode.fleet_name(cluster.topology)
        self.schedule = settings.resync
        self.failures = sqs.Queue(
            self,
            "Failures",
            retention_period=cdk.Duration.days(14),
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
        )
        acknowledge(self.failures, "SQS3", "it is itself where the function's failed events end")
        fleet = proxies.fleet
        # not part of the fleet: a bad change then fails at the nodes' services, before it gets to the stand-ins
        self.stand_in = proxies.haproxies and StandIn(
            self,
            "StandIn",
            fleet=fleet,
            haproxies=proxies.haproxies,
            zone_name=f"{cluster.replication_group_id}.{environment_name}.nodeway.internal",
            prefix=prefix,
        )
        self.variables = {
            "REPLICATION_GROUP_ID": cluster.label,
            "HOSTED_ZONE_ID": zone.zone.hosted_zone_id,
            "ZONE_NAME": zone.zone_name,
            "ECS_CLUSTER": fleet.cluster.cluster_name,
            "TTL_SECONDS": str(ttl),
            "RESYNC": settings.resync.value,
            "PINS": json.dumps(settings.pins_in(zone.zone_name), sort_keys=True),
            "OWNER": f"nodeway/{environment_name}/{cluster.label}",
            "APPROVE": settings.approve,
            "TAKE_OVER": "true" if settings.take_over else "false",
        }
        if mode.overrides_cluster_names:
            # the resync refuses to run if the zone is associated with this VPC
            self.variables["PROXY_VPC_ID"] = fleet.network.vpc_id
        if self.stand_in:
            self.variables["MAX_STAND_INS"] = str(settings.max_stand_ins)
            self.variables["STAND_IN"] = cdk.Stack.of(self).to_json_string(self.stand_in.settings())
        if self.fleet_name:
            self.variables["FLEET_NAME"] = self.fleet_name
        self.function = runtime_function(
            self,
            "Function",
            ids="",
            handler="resync",
            description=f"Keeps the records of {zone.zone_name} true",
            variables=self.variables,
            layer=powertools_layer(self, "Powertools"),
            memory_mib=MEMORY_MIB,
            timeout=TIMEOUT,
            # one run at a time, as two could undo each other's changes
            reserved_concurrent_executions=1,
            retry_attempts=2,
            max_event_age=cdk.Duration.minutes(10),
            on_failure=destinations.SqsDestination(self.failures),
        )
        if self.stand_in:
            grant_topology_reads(self.function, cluster.replication_group_id)
        grant_task_reads(self.function, fleet)
        zone.grant_sync(self.function)
        if self.stand_in:
            self._grant_stand_ins(self.stand_in, fleet)
        deployment_run = self._run_on_deployment(
            zone,
            [
                cluster.topology.model_dump(mode="json"),
                asdict(cluster.settings),
                [asdict(client) for client in cluster.clients],
                [mode.title, asdict(mode)],
                ttl,
                asdict(settings),
            ],
        )
        if settings.resync is not Mode.OFF:
            triggers = Triggers(
                self,
                "Triggers",
                function=self.function,
                ecs_cluster_arn=fleet.cluster.cluster_arn,
                follows_nodes=mode.follows_nodes,
            )
            # created last and deleted first, so that no trigger fires during a deletion
            triggers.node.add_dependency(deployment_run)
        cdk.CfnOutput(self, "ResyncFunction", value=self.function.function_name)

    def _grant_stand_ins(self, stand_in: StandIn, fleet: Fleet) -> None:
        """Permits the function to run stand-ins for new nodes."""
        stand_in.grant_run(self.function)
        policy, location = role_policy(self.function), nag_location(self)
        acknowledge(
            policy,
            f"IAM5[Resource::arn:<AWS::Partition>:ecs:{location}:task/{tasks_export(cdk.Stack.of(fleet))}/*]",
            "stand-ins of our own cluster have no names before they run",
        )
        acknowledge(
            policy,
            f"IAM5[Resource::arn:<AWS::Partition>:ecs:{location}:task-definition/{stand_in.task.family}:*]",
            "the stand-in's own task definition, in whatever revision",
        )

    def _run_on_deployment(self, zone: ClientsZone, inputs: Sequence[object]) -> cdk.CustomResource:
        """Adds a run after all services are stable. The deployment fails unless every record matches its HAProxy.

        It runs whenever a deployment changes `inputs` or the code.
        """
        # tokens are hashed as the template's references
        values = cdk.Stack.of(self).resolve(json.loads(json.dumps(inputs)))
        code = [
            cdk.FileSystem.fingerprint(str(path), exclude=NOT_CODE) for path in (PACKAGE, TEMPLATES)
        ]
        run = cdk.CustomResource(
            self,
            "Records",
            service_token=self.function.function_arn,
            resource_type="Custom::NodewayRecords",
            service_timeout=TIMEOUT,
            properties={
                "Deployed": hashlib.sha256(
                    json.dumps([values, code], sort_keys=True).encode()
                ).hexdigest()
            },
        )
        # its run at the deletion removes the records and stand-ins, so it is before that of their zones
        deploy_after(run, zone)
        if self.stand_in:
            run.node.add_dependency(self.stand_in)
        return run
