"""The adapters over boto3 clients, put together: the same for the function and for the command on a laptop."""

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
    """The four places of a run, reached with the session's credentials; without one, with the process' own."""
    client = session.client if session else boto3.client
    route53 = client("route53", config=RETRIES)
    how = settings.stand_in
    return Ports(
        elasticache=SingleName(settings.fleet_name)
        if settings.fleet_name
        else ElastiCache(client("elasticache", config=RETRIES)),
        ecs=Ecs(client("ecs", config=RETRIES), fleet_name=settings.fleet_name),
        zone=Route53Zone(route53, settings.hosted_zone_id),
        stand_in_zone=Route53StandInZone(route53, how.zone_id) if how else NoStandInZone(),
    )


class SingleName:
    """Stands where the other fleets ask ElastiCache."""

    def __init__(self, name: Hostname) -> None:
        self._name = name

    def topology(self, replication_group_id: str) -> Topology:
        """One live member that has the fleet's name."""
        return Topology((Node(replication_group_id, self._name, "", "available"),))
