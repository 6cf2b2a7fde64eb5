"""The adapters over boto3 clients, put together: the same for the function and for the command on a laptop."""

import boto3
from botocore.config import Config

from resync.ecs import Ecs
from resync.elasticache import ElastiCache
from resync.one_name import OneName
from resync.parking import NoParking, Route53Parking
from resync.route53 import Route53Zone
from resync.settings import Settings
from resync.source import Ports

RETRIES = Config(
    retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=3, read_timeout=10
)


def aws_ports(settings: Settings, session: boto3.Session | None = None) -> Ports:
    """The four places of a run, reached with the session's credentials; without one, with the process' own."""
    client = session.client if session else boto3.client
    route53 = client("route53", config=RETRIES)
    how = settings.stand_in
    return Ports(
        elasticache=OneName(settings.fleet_name)
        if settings.fleet_name
        else ElastiCache(client("elasticache", config=RETRIES)),
        ecs=Ecs(client("ecs", config=RETRIES), fleet_name=settings.fleet_name),
        zone=Route53Zone(route53, settings.hosted_zone_id),
        parking=Route53Parking(route53, how.parking_zone_id) if how else NoParking(),
    )
