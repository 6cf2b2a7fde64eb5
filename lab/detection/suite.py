"""The faults that the probe must name: real faults of the running lab."""

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
from lab.observe.steady_state import wait_until_steady

Fault = Callable[[World], AbstractContextManager[ExpectedVerdicts]]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A fault with its name, the context manager that makes and undoes it, and its description in one line."""

    name: str
    fault: Fault
    doc: str

    @contextmanager
    def injected(self, world: World) -> Iterator[ExpectedVerdicts]:
        """Makes the fault for the block, once clients notice it; gives the verdicts that the probe must report.

        Raises LabError when the fault does not begin, or the lab is not steady after it.
        """
        try:
            with self.fault(world) as expected:
                yield expected
        finally:
            wait_until_steady(world, Product())


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
"""All of them in the order of the suite; each leaves the lab in its steady state."""
