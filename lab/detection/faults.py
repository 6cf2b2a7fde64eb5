"""The faults that the probe must name: real faults of the running lab."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

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
"""Makes a fault for a block, once clients notice it; its docstring is one line that describes the fault."""

FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
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
}
"""All faults by name, in the order of the suite."""


@contextmanager
def inject(fault: Fault, world: World) -> Iterator[ExpectedVerdicts]:
    """Makes the fault for the block, gives the verdicts that the probe must report, and waits for the steady state.

    Raises LabError when the fault does not begin, or the lab is not steady after it.
    """
    try:
        with fault(world) as expected:
            yield expected
    finally:
        wait_until_steady(world, Product())
