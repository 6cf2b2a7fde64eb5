"""The faults that the probe must see, each for real."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from lab.deployment.product import Product
from lab.deployment.world import World
from lab.faults.certificates import expired_certificate, foreign_certificate, wrong_certificate
from lab.faults.expected_verdicts import ExpectedVerdicts
from lab.faults.haproxies import dead_proxy, silent_proxy
from lab.faults.nodes import announces_ip, node_down, one_announces_ip, wrong_password
from lab.faults.records import cached_nxdomain, missing_record, proxy_loops, wrong_proxy
from lab.faults.second_cluster import clusters_mixed, clusters_mixed_by_identity
from lab.faults.secret import wrong_secret
from lab.observe.steady_state import wait_until_well

Fault = Callable[[World], AbstractContextManager[ExpectedVerdicts]]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A fault: its name, what makes and undoes it, and what is the matter then, in one line."""

    name: str
    fault: Fault
    doc: str

    @contextmanager
    def injected(self, world: World) -> Iterator[ExpectedVerdicts]:
        """The fault is there, and clients notice it; gives what the probe must say. After it the whole world is well.

        Raises LabError when it does not come, or does not heal.
        """
        try:
            with self.fault(world) as expected:
                yield expected
        finally:
            wait_until_well(world, Product())


def _anomaly(fault: Fault) -> Anomaly:
    return Anomaly(fault.__name__, fault, str(fault.__doc__).strip())


FAULTS: tuple[Fault, ...] = (
    missing_record,
    cached_nxdomain,
    wrong_proxy,
    clusters_mixed,
    clusters_mixed_by_identity,
    silent_proxy,
    dead_proxy,
    proxy_loops,
    node_down,
    expired_certificate,
    wrong_certificate,
    foreign_certificate,
    wrong_password,
    wrong_secret,
    announces_ip,
    one_announces_ip,
)

ANOMALIES: tuple[Anomaly, ...] = tuple(map(_anomaly, FAULTS))
"""All of them, in an order in which they may be played; each leaves the whole world well."""
