"""Who owns a name, as the TXT beside it says; whatever else stands there is nobody's word."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from nodeway_runtime.model.ownership import (
    READS_UNTIL_GONE,
    SECONDS_BETWEEN_READS,
    Marker,
    marker_name,
    marker_record,
    markers_by_name,
    parse_marker,
    subject,
)
from nodeway_runtime.model.topology import Record, RecordType
from tests.support.fakes import NOW, ONE, OWNER, THREE, TWO, marked, named, record, soa

HERE = Marker(OWNER)
SAID = (
    '"heritage=nodeway,owner=nodeway/dev/demo,absent_since=2026-03-01T03:00:00Z,absent_reads=2'
    ',last_read=2026-03-01T03:00:20Z"'
)


def text(*values: str, name: str = "") -> Record:
    """A TXT where a marker would be, or of that name."""
    return Record(named(name) if name else marker_name(named(ONE)), RecordType.TXT, values, 5)


@pytest.mark.parametrize(
    "marker",
    [
        pytest.param(HERE, id="present"),
        pytest.param(Marker(OWNER, NOW, 1), id="absent once"),
        pytest.param(Marker(OWNER, NOW, 2, NOW + timedelta(seconds=20)), id="absent twice"),
        pytest.param(Marker("nodeway/prod/x", NOW - timedelta(days=400), 3, NOW), id="long absent"),
    ],
)
def test_marker_comes_back_as_it_was_written(marker: Marker) -> None:
    """The zone is the only state: nothing may get lost in it."""
    assert parse_marker(marker_record(named(ONE), marker, 5)) == marker


def test_marker_is_one_readable_text_beside_its_name() -> None:
    """A person who looks into the zone understands it."""
    found = marker_record(named(ONE), Marker(OWNER, NOW, 2, NOW + timedelta(seconds=20)), 7)

    assert found == Record(marker_name(named(ONE)), RecordType.TXT, (SAID,), 7)
    assert marker_record(named(ONE), HERE, 7).values == (
        '"heritage=nodeway,owner=nodeway/dev/demo"',
    )
    assert found.name == f"_nodeway.{named(ONE)}"
    assert subject(found.name) == subject(named(ONE)) == named(ONE)


def test_marker_tells_its_time_in_utc() -> None:
    east = datetime(2026, 3, 1, 5, 0, 0, tzinfo=timezone(timedelta(hours=2)))

    assert (
        "absent_since=2026-03-01T03:00:00Z"
        in marker_record(named(ONE), Marker(OWNER, east, 1), 5).values[0]
    )


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(text('"hello"'), id="text"),
        pytest.param(text('"heritage=external-dns,external-dns/owner=me"'), id="external-dns'"),
        pytest.param(text('"heritage=nodeway"'), id="no owner"),
        pytest.param(text('"heritage=nodeway,owner="'), id="empty owner"),
        pytest.param(text('"owner=nodeway/dev/demo"'), id="no heritage"),
        pytest.param(
            text('"heritage=nodeway,owner=a"', '"heritage=nodeway,owner=b"'), id="two values"
        ),
        pytest.param(text('""'), id="empty"),
        pytest.param(text('"heritage=nodeway,owner=a"', name=ONE), id="not beside a name"),
        pytest.param(record(ONE, "10.20.1.5"), id="an address"),
        pytest.param(soa(), id="the SOA"),
    ],
)
def test_marker_of_is_none_for_whatever_this_program_did_not_write(foreign: Record) -> None:
    """Nobody's word is nobody's name."""
    assert parse_marker(foreign) is None


@pytest.mark.parametrize(
    "said",
    [
        "absent_since=yesterday,absent_reads=2",
        "absent_since=2026-03-01T03:00:00Z",
        "absent_since=2026-03-01T03:00:00Z,absent_reads=",
        "absent_since=2026-03-01T03:00:00Z,absent_reads=many",
        "absent_since=2026-03-01T03:00:00Z,absent_reads=-1",
        "absent_since=2026-03-01T03:00:00Z,absent_reads=4",
        "absent_since=2026-03-01T03:00:00Z,absent_reads=99999999999999999999",
        "absent_since=2026-03-01T03:00:00,absent_reads=2",
        "absent_since=0001-01-01T00:00:00+14:00,absent_reads=2",
        "absent_since=9999-12-31T23:59:59-12:00,absent_reads=2",
        "absent_since=2026-03-01,absent_reads=2",
        "absent_since=2026-03-01T03:00:00Z,absent_reads=2,last_read=today",
        "absent_since=2026-03-01T03:00:00Z,absent_reads=2,last_read=2026-03-01T03:00:20",
        "absent_reads=2",
    ],
)
def test_marker_with_an_odd_absence_is_counted_from_the_beginning(said: str) -> None:
    """A marker that was edited by hand must neither hasten a delete nor end every run with an error."""
    marker = parse_marker(text(f'"heritage=nodeway,owner={OWNER},{said}"'))

    assert marker == HERE
    assert marker.count_absence(NOW.replace(microsecond=123_456)) == Marker(OWNER, NOW, 1, NOW)


@pytest.mark.parametrize(
    "since",
    [datetime.min, datetime.max.replace(microsecond=0), datetime(2030, 1, 1)],  # noqa: DTZ001, DTZ901 (made aware below)
    ids=["the first", "the last", "to come"],
)
def test_marker_takes_any_time_that_can_be_written(since: datetime) -> None:
    """No date of a marker can end a run with an error."""
    marker = parse_marker(marker_record(named(ONE), Marker(OWNER, since.replace(tzinfo=UTC), 1), 5))

    assert marker is not None
    assert marker.count_absence(NOW).absent_reads in {1, 2}


@pytest.mark.parametrize(
    ("reads", "seconds", "counted"),
    [
        (1, 0, 1),
        (1, 19, 1),
        (1, 20, 2),
        (1, 3600, 2),
        (2, 19, 2),
        (2, 20, 3),
        (2, 3600, 3),
        (1, -3600, 1),
    ],
)
def test_absence_counts_once_in_twenty_seconds(reads: int, seconds: int, counted: int) -> None:
    """A burst of events is one read; and a long pause is one read too, and a clock that goes back none."""
    assert SECONDS_BETWEEN_READS == 20
    marker = Marker(OWNER, NOW - timedelta(hours=1), reads, NOW)

    assert marker.count_absence(NOW + timedelta(seconds=seconds)).absent_reads == counted


@pytest.mark.parametrize(("reads", "gone"), [(0, False), (1, False), (2, False), (3, True)])
def test_node_is_gone_after_three_reads(reads: int, *, gone: bool) -> None:
    assert READS_UNTIL_GONE == 3
    assert Marker(OWNER, NOW, reads).is_gone is gone


def test_markers_are_found_by_the_name_beside_them() -> None:
    """Of any owner; names without one are not there."""
    records = (
        *marked(record(ONE, "10.20.1.5")),
        *marked(record(TWO, "10.20.1.6"), owner="another"),
        record(THREE, "10.20.1.7"),
        soa(),
    )

    assert markers_by_name(records) == {named(ONE): HERE, named(TWO): Marker("another")}
