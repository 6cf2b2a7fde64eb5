"""The steps that a run may take with stand-ins, as values. Pure."""

from dataclasses import dataclass

from nodeway_runtime.model.topology import Address, Hostname

PARKED = Address("192.0.2.1")
"""An address that nobody has (TEST-NET-1, RFC 5737)."""


@dataclass(frozen=True, slots=True)
class Start:
    """A stand-in for a node that has no HAProxy."""

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
    """A stand-in whose address has left the records: the time is noted on the task."""

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
    """A stand-in that nobody resolves to any more."""

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
class Parking:
    """What the parking zone should say of one name: the node's own name, or the parked address."""

    name: Hostname
    target: Hostname | None
