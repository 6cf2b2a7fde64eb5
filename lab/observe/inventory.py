"""All resources in the account, service by service, for a comparison of before and after.

There is no filter for the product's own resources: it would hide those that a destroy forgets.
"""

import json
from typing import Any

import jmespath  # type: ignore[import-untyped]

from lab.deployment.product import client

QUERIES = (
    ("cloudformation", "list_stacks", "StackSummaries[?StackStatus!='DELETE_COMPLETE'].StackName"),
    ("cloudformation", "list_exports", "Exports[].Name"),
    ("cloudwatch", "describe_alarms", "[MetricAlarms, CompositeAlarms][][].AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    ("ec2", "describe_route_tables", "RouteTables[].[RouteTableId, Routes]"),
    (
        "ec2",
        "describe_security_groups",
        "SecurityGroups[].[GroupId, IpPermissions, IpPermissionsEgress]",
    ),
    ("ec2", "describe_subnets", "Subnets[].SubnetId"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints[].VpcEndpointId"),
    ("ec2", "describe_vpc_peering_connections", "VpcPeeringConnections[].VpcPeeringConnectionId"),
    ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    ("ecr", "describe_repositories", "repositories[].repositoryName"),
    ("ecs", "list_clusters", "clusterArns[]"),
    ("ecs", "list_task_definitions", "taskDefinitionArns[]"),
    ("events", "list_rules", "Rules[].Name"),
    ("iam", "list_policies", "Policies[?starts_with(Arn, 'arn:aws:iam::aws:')==`false`].Arn"),
    ("iam", "list_roles", "Roles[].RoleName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings[].UUID"),
    ("lambda", "list_functions", "Functions[].FunctionName"),
    ("lambda", "list_layers", "Layers[].LayerName"),
    ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("logs", "describe_metric_filters", "metricFilters[].filterName"),
    ("logs", "describe_resource_policies", "resourcePolicies[].policyName"),
    ("route53", "list_hosted_zones", "HostedZones[].Name"),
    ("s3", "list_buckets", "Buckets[].Name"),
    ("sns", "list_subscriptions", "Subscriptions[].SubscriptionArn"),
    ("sns", "list_topics", "Topics[].TopicArn"),
    ("sqs", "list_queues", "QueueUrls[]"),
    ("ssm", "describe_parameters", "Parameters[].Name"),
)
"""Service, call, and the JMESPath query of the resources in its answer."""
ACTIVE = {"list_task_definitions": {"status": "ACTIVE"}, "list_policies": {"Scope": "Local"}}
IN_CLUSTER = (("list_services", "serviceArns[]"), ("list_tasks", "taskArns[]"))


def inventory() -> dict[str, list[str]]:
    """All resources of the account, by service and call."""
    found = {
        f"{service} {call}": list_resources(service, call, query, **ACTIVE.get(call, {}))
        for service, call, query in QUERIES
    }
    for call, query in IN_CLUSTER:
        found[f"ecs {call}"] = [
            one
            for cluster in list_resources("ecs", "list_clusters", "clusterArns[]")
            for one in list_resources("ecs", call, query, cluster=json.loads(cluster))
        ]
    return found


def added(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, list[str]]:
    """The resources of `after` that are not in `before`, by service and call."""
    new = {name: sorted(set(after[name]) - set(before[name])) for name in after}
    return {name: ones for name, ones in new.items() if ones}


def list_resources(service: str, call: str, query: str, **arguments: str) -> list[str]:
    """The resources of a call's answer as JSON texts, of all its pages."""
    api = client(service)
    if api.can_paginate(call):
        pages = list(api.get_paginator(call).paginate(**arguments))
    else:
        pages = [getattr(api, call)(**arguments)]
    found: list[Any] = [one for page in pages for one in jmespath.search(query, page) or ()]
    return sorted(json.dumps(one, sort_keys=True, default=str) for one in found)
