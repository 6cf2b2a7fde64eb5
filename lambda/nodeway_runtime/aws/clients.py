"""Creates the ports of a run from boto3 clients, for the function and the command."""

import boto3
from botocore.config import Config

from nodeway_runtime.aws.ecs import Ecs
from nodeway_runtime.aws.elasticache import ElastiCache
from nodeway_runtime.aws.route53 import Route53Zone
from nodeway_runtime.aws.stand_in_zone import NoStandInZone, Route53StandInZone
from nodeway_runtime.model.ports import Ports
from nodeway_runtime.model.settings import Settings
from nodeway_runtime.model.topology import Hostname, Node, Topology

RETRIES = Config(
    retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=3, read_timeout=10
)


def aws_ports(settings: Settings, session: boto3.Session | None = None) -> Ports:
    """The ports of a run with the credentials of the session, else of the process."""
    client = session.client if session else boto3.client
    route53 = client("route53", config=RETRIES)
    stand_in = settings.stand_in
    return Ports(
        elasticache=SingleName(settings.fleet_name)
        if settings.fleet_name
        else ElastiCache(client("elasticache", config=RETRIES)),
        ecs=Ecs(client("ecs", config=RETRIES), fleet_name=settings.fleet_name),
        zone=Route53Zone(route53, settings.hosted_zone_id),
        stand_in_zone=Route53StandInZone(route53, stand_in.zone_id)
        if stand_in
        else NoStandInZone(),
    )


class SingleName:
    """The ElastiCache port of a fleet whose proxies serve all nodes under one name.

    Such proxies find the nodes themselves (Envoy), or route by SNI (HAProxy), so no node needs a record of its own.
    """

    def __init__(self, name: Hostname) -> None:
        self._name = name

    def topology(self, replication_group_id: str) -> Topology:
        """A topology of one node that has the fleet's name."""
        return Topology((Node(replication_group_id, self._name, "", "available"),))
