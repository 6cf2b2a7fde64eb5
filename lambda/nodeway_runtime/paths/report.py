"""The report of a probe run, for logs, metrics, pages and `nodeway doctor`. Pure.

`to_document` and `from_document` convert it to JSON and back. VERSION identifies the format, as the writer and the
reader may be of different releases.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nodeway_runtime.paths.trace import Phase
from nodeway_runtime.paths.verdicts import MEANINGS, SEVERITY, State, Verdict

VERSION = 1


@dataclass(frozen=True, slots=True)
class Proxy:
    """The ECS task at an address. `health`: healthy, unhealthy or starting."""

    address: str
    task: str
    node: str
    availability_zone: str
    health: str
    stand_in: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """One address of a name.

    `proxy`: the task at the address, if it is known. `reached`: the last phase that succeeded. `detail`: the words of
    the error. Milliseconds: duration of each phase that succeeded.
    """

    address: str
    proxy: Proxy | None
    verdict: Verdict
    reached: Phase
    detail: str = ""
    connect_milliseconds: float | None = None
    tls_milliseconds: float | None = None
    answer_milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A name with the verdict of its worst path, or the reason why it has no path.

    `role`: primary, replica, endpoint, or empty when unknown. `moved` and `asked`: redirects (MOVED, ASK) that its node
    answered since the last run, None when unknown. `since`: when the verdict was first seen by this process (ISO 8601).
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
        """The first label of the name."""
        return self.name.partition(".")[0]

    @property
    def state(self) -> State:
        """The state of the verdict."""
        return MEANINGS[self.verdict].state


@dataclass(frozen=True, slots=True)
class Report:
    """A run of the probe.

    `client`: the network it ran in. `at`: its start (ISO 8601, UTC). `depth`: `identity`, or `answer` without
    credentials. `failovers`: primaries that were replicas in the last run. `notes`: limits of this run, such as an
    unread source.
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
        """The state of the worst row; DEGRADED when there is no row."""
        return max(
            (row.state for row in self.rows), key=SEVERITY.__getitem__, default=State.DEGRADED
        )

    def count(self, state: State) -> int:
        """The number of rows in this state."""
        return sum(row.state is state for row in self.rows)

    @property
    def worst_first(self) -> tuple[Row, ...]:
        """The rows by descending severity, then by name."""
        return tuple(sorted(self.rows, key=lambda row: (-SEVERITY[row.state], row.name)))


def to_document(report: Report) -> dict[str, Any]:
    """The report as JSON, with state, meaning and next step of each row."""
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


def from_document(data: Mapping[str, Any]) -> Report:
    """The inverse of `to_document`; raises ValueError for anything else, and for another version."""
    try:
        if data["version"] != VERSION:
            raise ValueError(f"a report of version {data['version']}; allowed: {VERSION}")
        return Report(
            rows=tuple(_parse_row(row) for row in data["rows"]),
            notes=tuple(data["notes"]),
            **{name: data[name] for name in _PLAIN},
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a report of the probe: {error!r}") from error


_PLAIN = (
    *("cluster", "zone", "client", "at", "seconds", "depth", "port"),
    *("connections", "failovers", "rejected_connections"),
)
_DERIVED = {"label", "state", "what", "next"}


def _parse_row(data: Mapping[str, Any]) -> Row:
    own = {name: value for name, value in data.items() if name not in _DERIVED}
    return Row(
        **own
        | {"verdict": Verdict(data["verdict"]), "paths": tuple(map(_parse_path, data["paths"]))}
    )


def _parse_path(data: Mapping[str, Any]) -> Path:
    proxy = Proxy(**data["proxy"]) if data["proxy"] else None
    kinds = {"proxy": proxy, "verdict": Verdict(data["verdict"]), "reached": Phase(data["reached"])}
    return Path(**{**data, **kinds})


def sum_known(values: Iterable[int | None]) -> int | None:
    """The sum of the known values; None when none is known."""
    known = [one for one in values if one is not None]
    return sum(known) if known else None


def phase_milliseconds(row: Row, path: Path) -> dict[Phase, float | None]:
    """The durations of a path's phases, its name's look-up included; None for a phase that did not succeed."""
    return {
        Phase.RESOLVE: row.resolve_milliseconds,
        Phase.CONNECT: path.connect_milliseconds,
        Phase.TLS: path.tls_milliseconds,
        Phase.ANSWER: path.answer_milliseconds,
    }
