"""Limits of what a fault may cost clients."""

from lab.report.threshold import Threshold
from lab.resilience.loads import PROXIED
from lab.scenarios.scenario import Figures, expect

TTL_SECONDS = 5.0
"""The records' TTL: how long a client may still get an address from before a change."""
TIMES_DIRECT = 2.0
NEXT_ADDRESS_SECONDS = 1.0
"""The longest gap after a kill of one of a node's two HAProxies, for clients that try the next address."""


def assert_within_limits(
    figures: Figures,
    *,
    gap: float | None = None,
    retried_once: bool = False,
    connecting: bool = False,
) -> Figures:
    """The figures; raises ExpectationFailed with them unless the clients through HAProxies kept their limits.

    The limit of a gap follows from the direct client's gap. The fresh client is compared with the fresh direct one if
    there is one; with `connecting`, where the fault hits every new connection, the pooled client is, too.
    `gap`: a fixed limit (s) for a fault that does not touch the direct client. A fresh client's limit is higher by the
    gap of the fresh direct client, since every write of a fresh client takes that long without a fault.
    `retried_once`: no command may fail after its retry.
    """
    for who in PROXIED:
        client = figures[who]
        fresh = figures.get("direct_fresh") if who == "fresh" or connecting else None
        if gap is None:
            direct_gap = (fresh or figures["direct"])["longest_gap_seconds"]
            limit = round(TIMES_DIRECT * direct_gap + TTL_SECONDS, 2)
        else:
            limit = round(gap + (fresh["longest_gap_seconds"] if fresh else 0.0), 2)
        client["limit_seconds"] = limit
        lost = client["lost_acknowledged"]
        expect(
            lost == 0, f"{who}: no acknowledged write lost by the HAProxies, got {lost}", figures
        )
        if retried_once:
            expect(client["failed"] == 0, f"{who}: no command may fail twice", figures)
        longest = Threshold(f"{who}: longest gap in s", client["longest_gap_seconds"], limit)
        expect(longest.met, str(longest), figures)
    return figures


def assert_noticed(figures: Figures, who: str, seconds: float) -> Figures:
    """The figures; raises ExpectationFailed unless this client had such a gap (s): proves that the fault happened."""
    longest = figures[who]["longest_gap_seconds"]
    expect(longest >= seconds, f"{who} must notice the fault for {seconds:g} s at least", figures)
    return figures
