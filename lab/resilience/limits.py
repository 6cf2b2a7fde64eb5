"""What each fault may cost a client at most. It must never let a loss of ours through, whatever the fault."""

from lab.resilience.loads import PROXIED
from lab.scenarios.scenario import Figures, expect

TTL_SECONDS = 5.0
"""The records' TTL: so long a client may be sent to the address of before."""
TIMES_DIRECT = 2.0
NEXT_ADDRESS_SECONDS = 1.0
"""A killed HAProxy of a node that has two: a client that tries the next address has no longer gap."""


def recovery_seconds(without_proxies: float) -> float:
    """The bar for the gap through HAProxies: what the same fault costs without them, twice, and the TTL."""
    return round(TIMES_DIRECT * without_proxies + TTL_SECONDS, 2)


def hold(
    figures: Figures,
    *,
    gap: float | None = None,
    retried_once: bool = False,
    connecting: bool = False,
) -> None:
    """Raises ExpectationFailed with the figures, unless the clients through HAProxies kept to the bars.

    `gap`: the bar in seconds where the fault does not touch the direct client, in place of twice its gap and the TTL;
    a fresh client's write takes its time without a fault, too: as long as that of a fresh direct one.
    `retried_once`: no command of a client that tries once more failed. `connecting`: the fault is to whoever connects,
    and so to a pool that grows just then: compared with the fresh direct one, too. A fresh client is
    compared with one that is fresh for each write too, if there is one.
    """
    for who in PROXIED:
        seen = figures[who]
        twin = figures.get("direct_fresh") if who == "fresh" or connecting else None
        without = (twin or figures["direct"])["longest_gap_seconds"]
        born = twin["longest_gap_seconds"] if twin else 0.0
        bar = recovery_seconds(without) if gap is None else round(gap + born, 2)
        seen["bar_seconds"] = bar
        expect(seen["lost_acknowledged"] == 0, f"{who}: no acknowledged write lost by us", figures)
        if retried_once:
            expect(seen["failed"] == 0, f"{who}: no command fails twice", figures)
        expect(
            seen["longest_gap_seconds"] <= bar,
            f"{who}: no gap over {bar:g} s, and it was {seen['longest_gap_seconds']:g} s",
            figures,
        )


def felt(figures: Figures, who: str, seconds: float) -> None:
    """Raises ExpectationFailed unless this client had such a gap: a fault that nobody feels proves nothing."""
    expect(
        figures[who]["longest_gap_seconds"] >= seconds,
        f"{who}: the fault must be felt, {seconds:g} s at least",
        figures,
    )
