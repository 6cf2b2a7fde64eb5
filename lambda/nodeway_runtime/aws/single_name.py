"""The topology of a fleet whose proxies all serve every node: one name, which is always there. It asks nobody.

Envoy finds the nodes itself, and so does a HAProxy that routes by the name in the TLS hello: no node needs a record.
"""

from nodeway_runtime.model.topology import Hostname, Node, Topology


class OneName:
    """Stands where the other fleets ask ElastiCache."""

    def __init__(self, name: Hostname) -> None:
        self._name = name

    def topology(self, replication_group_id: str) -> Topology:
        """One live member that has the fleet's name."""
        return Topology((Node(replication_group_id, self._name, "", "available"),))
