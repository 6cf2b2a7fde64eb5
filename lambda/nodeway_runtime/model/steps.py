"""Steps with stand-ins, and the records of the stand-in zone, as values. Pure."""

from dataclasses import dataclass

from nodeway_runtime.model.topology import Address, Hostname

PLACEHOLDER = Address("192.0.2.1")
"""Answer for a backend whose node has no endpoint yet. No host has this address (TEST-NET-1, RFC 5737)."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start a stand-in for a node without a HAProxy."""

    cache_cluster_id: str
    node: Hostname

    @property
    def summary(self) -> str:
        """The step on one line."""
        return f"+ stand-in for {self.node}"

    def __str__(self) -> str:
        return self.summary


@dataclass(frozen=True, slots=True)
class Retire:
    """Tag a stand-in whose address is in no record any more with the time of this run."""

    task_arn: str
    node: Hostname

    @property
    def summary(self) -> str:
        """The step on one line."""
        return f"~ stand-in of {self.node} {self.task_arn.rpartition('/')[2]}: out of the records"

    def __str__(self) -> str:
        return self.summary


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a stand-in that no cached answer leads to any more."""

    task_arn: str
    node: Hostname
    why: str

    @property
    def summary(self) -> str:
        """The step on one line, without its reason."""
        return f"- stand-in of {self.node} {self.task_arn.rpartition('/')[2]}"

    def __str__(self) -> str:
        return f"{self.summary}  # {self.why}"


Step = Start | Retire | Stop


@dataclass(frozen=True, slots=True)
class StandInRecord:
    """A record of the stand-in zone: a CNAME to `target`, or an A record with PLACEHOLDER when it is None."""

    name: Hostname
    target: Hostname | None
