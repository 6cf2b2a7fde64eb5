"""What holds of the probe's verdicts for every world that can be thought up."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nodeway_runtime.model.topology import Address, Hostname
from nodeway_runtime.paths.cluster_view import Counters, Member, NodeReply
from nodeway_runtime.paths.deltas import Memory, compare_runs
from nodeway_runtime.paths.diagnose import diagnose
from nodeway_runtime.paths.report import Report, from_document, to_document
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.paths.trace import AddressTrace, Failure, NameTrace
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.fakes import ENDPOINT, ZONE, named
from tests.support.probing import address_trace, members, name_trace, node_id, task_at

LABELS = [f"demo-{shard:04}-{one:03}" for shard in (1, 2, 3) for one in (1, 2)]
TEXTS = st.sampled_from(["", "?", "10.30.1.5", "a b", f"x.{ZONE}", "elsewhere.example", "☃"])

names = st.sampled_from([*map(named, LABELS), ENDPOINT, Hostname("elsewhere.example")])
addresses = st.integers(1, 9).map(lambda n: Address(f"10.20.0.{n}"))
ids = st.sampled_from([*map(node_id, LABELS), "f" * 40, ""])
told = st.builds(Member, ids, names | TEXTS, st.booleans(), st.integers(0, 3))
counters = st.builds(
    Counters, TEXTS, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.booleans()
)
said = st.builds(
    NodeReply,
    st.none() | ids,
    st.none() | st.lists(told, max_size=4).map(tuple),
    st.none() | counters,
)
walks = st.builds(
    AddressTrace,
    addresses,
    st.sampled_from(["nothing", "connect", "tls", "answer", "identity"]),
    st.sampled_from(Failure),
    TEXTS,
    st.dictionaries(st.sampled_from(["connect", "tls", "answer"]), st.floats(0, 9)),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.none() | st.floats(-9, 99),
    said,
)
met = st.builds(
    NameTrace,
    names,
    st.lists(walks, max_size=3).map(tuple),
    st.sampled_from(Failure),
    TEXTS,
    st.none(),
)
proxies = st.builds(task_at, st.sampled_from(LABELS), addresses)
maps = st.builds(
    Targets,
    st.just("demo"),
    st.just(ZONE),
    st.just(6379),
    st.lists(names, max_size=6, unique=True).map(tuple),
    st.none() | names,
    st.none()
    | st.dictionaries(
        names | st.just(Hostname(f"*.{ZONE}")), st.lists(addresses, max_size=2).map(tuple)
    ),
    st.lists(proxies, max_size=4).map(tuple),
    st.booleans(),
    st.booleans(),
)


@given(maps, st.lists(met, max_size=8))
def test_whatever_was_met_each_name_has_one_row(map_: Targets, several: list[NameTrace]) -> None:
    """In the map's order; and what is said of it can be written, read, and compared with the next run."""
    rows = diagnose(map_, several)

    assert tuple(row.name for row in rows) == map_.names
    assert {row.name for row in rows if row.verdict is Verdict.NOT_WALKED} >= (
        set(map_.names) - {one.name for one in several}
    )
    first = compare_runs(Memory(), several, rows, "2026-03-01T03:00:00+00:00")
    second = compare_runs(first.memory, several, first.rows, "2026-03-01T03:01:00+00:00")
    report = Report("demo", ZONE, "host", "2026-03-01T03:00:00+00:00", 0.1, "identity", second.rows)
    again = from_document(to_document(report))
    assert again == replace(report, rows=report.worst_first)


@given(
    labels=st.lists(st.sampled_from(LABELS), min_size=1, unique=True),
    each=st.integers(1, 3),
    one_name=st.booleans(),
    blind=st.booleans(),
    data=st.data(),
)
def test_world_in_order_is_never_told_to_be_otherwise(
    *,
    labels: list[str],
    each: int,
    one_name: bool,
    blind: bool,
    data: st.DataObject,
) -> None:
    """However many nodes, proxies of a node, views, and whoever may be asked for more than an answer."""
    where = {
        label: tuple(Address(f"10.20.{0 if one_name else n}.{i}") for i in range(each))
        for n, label in enumerate(labels)
    }
    every = tuple(sorted({one for several in where.values() for one in several}))
    tasks = [task_at(label, one) for label in labels for one in where[label]]
    map_ = Targets(
        "demo",
        ZONE,
        6379,
        (*map(named, labels), ENDPOINT),
        ENDPOINT,
        None if blind else {**{named(k): v for k, v in where.items()}, ENDPOINT: every},
        () if blind else tuple(tasks),
        one_name,
    )
    asks = data.draw(st.booleans())

    def reach(label: str, address: str) -> AddressTrace:
        view = members(*labels) if asks and data.draw(st.booleans()) else None
        return address_trace(label if asks else None, address, view=view, reached="answer")

    several = [name_trace(label, *(reach(label, one) for one in where[label])) for label in labels]
    several.append(
        name_trace(ENDPOINT, *(reach(data.draw(st.sampled_from(labels)), one) for one in every))
    )

    assert {row.verdict for row in diagnose(map_, several)} == {Verdict.OK}
