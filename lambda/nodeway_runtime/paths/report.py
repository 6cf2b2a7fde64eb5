"""A run of the probe as every reader gets it: the log, the metrics, the pages, and `nodeway doctor`. Pure.

`document` and `from_document` are the JSON form, version 1: what one release writes, the next one's widget may read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nodeway_runtime.paths.verdicts import MEANINGS, SEVERITY, State, Verdict

VERSION = 1


@dataclass(frozen=True, slots=True)
class Proxy:
    """The task at an address, as ECS has it. `health`: healthy, unhealthy or starting."""

    address: str
    task: str
    node: str
    availability_zone: str
    health: str
    stand_in: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """One address of a name, as far as the walk came.

    `reached`: the last leg that went well: nothing, connect, tls, answer or identity. Milliseconds of each leg that was
    gone; `detail`: the words of whoever refused.
    """

    address: str
    proxy: Proxy | None
    verdict: Verdict
    reached: str
    detail: str = ""
    connect_milliseconds: float | None = None
    tls_milliseconds: float | None = None
    answer_milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A name: the worst of its paths, or what keeps it from having any.

    `label`: its first label; `role`: primary, replica, endpoint, or empty where nobody said; `moved` and `asked`:
    redirects that its node has answered since the last run, None where unknown; `since`: when it came into this state
    (ISO 8601), as far as the runs of this process have seen.
    """

    name: str
    verdict: Verdict
    paths: tuple[Path, ...] = ()
    detail: str = ""
    role: str = ""
    shard: str = ""
    node_id: str = ""
    resolve_milliseconds: float | None = None
    moved: int | None = None
    asked: int | None = None
    since: str = ""

    @property
    def label(self) -> str:
        """What people call it."""
        return self.name.partition(".")[0]

    @property
    def state(self) -> State:
        """How bad it is."""
        return MEANINGS[self.verdict].state


@dataclass(frozen=True, slots=True)
class Report:
    """A run: where from, how deep, and every name.

    `at`: its beginning (ISO 8601, UTC); `depth`: identity, or answer where there were no credentials; `failovers`:
    primaries that were replicas at the last run; `notes`: what the reader must know, such as what could not be read.
    """

    cluster: str
    zone: str
    client: str
    at: str
    seconds: float
    depth: str
    rows: tuple[Row, ...]
    port: int = 6379
    connections: int = 0
    failovers: int | None = None
    rejected_connections: int | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def worst(self) -> State:
        """The state of the worst row; degraded when there is none, as nobody knows how it is."""
        return max(
            (row.state for row in self.rows), key=SEVERITY.__getitem__, default=State.DEGRADED
        )

    def count(self, state: State) -> int:
        """How many rows are in this state."""
        return sum(row.state is state for row in self.rows)

    @property
    def worst_first(self) -> tuple[Row, ...]:
        """The rows as a person wants them."""
        return tuple(sorted(self.rows, key=lambda row: (-SEVERITY[row.state], row.name)))


def to_document(report: Report) -> dict[str, Any]:
    """The report for machines; each row says its state, what is wrong and the next step, too."""
    rows = [
        asdict(row)
        | {
            "label": row.label,
            "state": row.state.value,
            "what": MEANINGS[row.verdict].what,
            "next": MEANINGS[row.verdict].next,
        }
        for row in report.worst_first
    ]
    counts = {state.value: report.count(state) for state in State}
    return {"version": VERSION, **asdict(report), "worst": report.worst.value} | {
        "counts": counts,
        "rows": rows,
    }


def from_document(told: Mapping[str, Any]) -> Report:
    """The report of a document; raises ValueError when it is none of this version."""
    try:
        if told["version"] != VERSION:
            raise ValueError(f"a report of version {told['version']}; allowed: {VERSION}")
        return Report(
            rows=tuple(_parse_row(row) for row in told["rows"]),
            notes=tuple(told["notes"]),
            **{name: told[name] for name in _PLAIN},
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a report of the probe: {error!r}") from error


_PLAIN = (
    *("cluster", "zone", "client", "at", "seconds", "depth", "port"),
    *("connections", "failovers", "rejected_connections"),
)
_DERIVED = {"label", "state", "what", "next"}


def _parse_row(told: Mapping[str, Any]) -> Row:
    own = {name: value for name, value in told.items() if name not in _DERIVED}
    return Row(
        **own
        | {"verdict": Verdict(told["verdict"]), "paths": tuple(map(_parse_path, told["paths"]))}
    )


def _parse_path(told: Mapping[str, Any]) -> Path:
    proxy = Proxy(**told["proxy"]) if told["proxy"] else None
    return Path(**{**told, "proxy": proxy, "verdict": Verdict(told["verdict"])})


def sum_known(values: Iterable[int | None]) -> int | None:
    """The sum of what is known; None when nothing is."""
    known = [one for one in values if one is not None]
    return sum(known) if known else None
