"""The placement of an ECS task of the fake AWS: its subnet, its address, its network interface."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import ecs

from lab import layout

Task = dict[str, Any]

RESERVED_ADDRESSES = 4
"""AWS keeps the first four addresses of a subnet, and the last one
(https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html)."""

_placing = threading.Lock()
_turns: "dict[str, itertools.count[int]]" = {}
_addresses: dict[str, Iterator[str]] = {}


def prepare(task: Task) -> None:
    """Give the task its network interface: the first free address of its subnet. Idempotent."""
    with _placing:
        if task["attachments"]:
            return
        definition = ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])]
        task["_checked"] = [bool(c.get("healthCheck")) for c in definition["containerDefinitions"]]
        if task["launchType"] == "FARGATE":
            task.pop("containerInstanceArn", None)
        subnet = next(s for s in layout.PROXY_SUBNETS if s.subnet_id == task["_subnet"])
        address = _free_address(subnet)
        identity = new_uuid()
        details = {
            "subnetId": subnet.subnet_id,
            "networkInterfaceId": f"eni-{identity.replace('-', '')[:17]}",
            "macAddress": "0a:" + ":".join(identity[i : i + 2] for i in (0, 2, 4, 6, 9)),
            "privateDnsName": f"ip-{address.replace('.', '-')}.ec2.internal",
            "privateIPv4Address": address,
        }
        task["availabilityZone"] = subnet.availability_zone
        task["attachments"] = [
            {
                "id": identity,
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [{"name": k, "value": v} for k, v in details.items()],
            }
        ]
        for container in task["containers"]:
            container["networkInterfaces"] = [
                {"attachmentId": identity, "privateIpv4Address": address}
            ]


def next_subnet(group: str, subnets: list[str]) -> str:
    """One of the subnets, in rotation for each service: ECS spreads a service's tasks over availability zones."""
    with _placing:
        return subnets[next(_turns.setdefault(group, itertools.count(len(_turns)))) % len(subnets)]


def _free_address(subnet: layout.Subnet) -> str:
    """The next address that no task has; returned addresses come last.

    On AWS a new task hardly ever gets the address of the old one; if it did here, no record would have to change.
    """
    if subnet.subnet_id not in _addresses:
        last = subnet.cidr.num_addresses - 1
        hosts = [str(subnet.cidr[i]) for i in range(RESERVED_ADDRESSES, last)]
        _addresses[subnet.subnet_id] = itertools.cycle(hosts)
    taken = {ecs._task_ip(t) for t in ecs._tasks.values() if t["lastStatus"] != "STOPPED"}
    return next(address for address in _addresses[subnet.subnet_id] if address not in taken)
