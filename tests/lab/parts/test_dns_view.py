from collections.abc import Sequence

import pytest

from lab.dns.view import PUBLIC_TTL, View
from lab.dns.zones import LastKnown, RecordSet, Zone, ZonesUnknownError, normal

ZONE = "demo.example.com"
NODE = f"demo-0001-001.{ZONE}"
SOA = "ns. host. 1 7200 900 1209600 {minimum}"


class Clock:
    """Time that tests turn by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


class Zones:
    """Zones that tests change, and that may be unknown."""

    def __init__(self, *zones: Zone) -> None:
        self.now: Sequence[Zone] | None = zones
        self.late: Sequence[Zone] | None = None

    def __call__(self, *, fresh: bool) -> Sequence[Zone]:
        """As of now, or as of later for who wants a fresh read."""
        if fresh and self.late is not None:
            self.now, self.late = self.late, None
        if self.now is None:
            raise ZonesUnknownError
        return self.now


def zone(
    name: str = ZONE, *, soa_ttl: int = 900, minimum: int = 86400, **records: Sequence[str] | str
) -> Zone:
    """A zone with A records by first label (a str is a CNAME), TTL 5, and a SOA."""
    known = {(name, "SOA"): RecordSet(soa_ttl, (SOA.format(minimum=minimum),))}
    for label, values in records.items():
        kind = "CNAME" if isinstance(values, str) else "A"
        written = (values,) if isinstance(values, str) else tuple(values)
        known[(f"{label.replace('_', '-')}.{name}", kind)] = RecordSet(5, written)
    return Zone(name, known)


def view(zones: Zones, clock: Clock | None = None) -> View:
    names = {NODE: ["10.30.1.11"], f"x{ZONE}": ["1.2.3.4"]}
    return View("client", zones, lambda: names, clock or Clock())


def addresses(view: View, name: str = NODE) -> list[str]:
    return [record.value for record in view.resolve(name, "A").records]


def test_a_zone_answers_before_public_dns() -> None:
    assert addresses(view(Zones(zone(demo_0001_001=["10.20.1.5"])))) == ["10.20.1.5"]
    public = view(Zones()).resolve(NODE, "A")
    assert [(r.value, r.ttl) for r in public.records] == [("10.30.1.11", PUBLIC_TTL)]


def test_a_zone_without_the_record_shadows_public_dns() -> None:
    answer = view(Zones(zone())).resolve(NODE, "A")
    assert (answer.rcode, answer.records) == ("NXDOMAIN", ())
    assert answer.authority is not None
    assert (answer.authority.name, answer.authority.kind) == (ZONE, "SOA")


def test_names_outside_of_the_zone_are_not_its_business() -> None:
    zones = Zones(zone(demo_0001_001=["10.20.1.5"]))
    assert addresses(view(zones), f"x{ZONE}") == ["1.2.3.4"]


def test_the_most_specific_zone_wins() -> None:
    inner = Zone(NODE, {(NODE, "A"): RecordSet(5, ("10.20.9.9",))})
    zones = (zone(demo_0001_001=["10.20.1.5"]), inner, zone("example.com"))
    assert addresses(view(Zones(*zones))) == ["10.20.9.9"]


@pytest.mark.parametrize(
    ("soa_ttl", "minimum", "kept"), [(900, 86400, 900), (5, 86400, 5), (900, 4, 4)]
)
def test_no_is_kept_for_the_smaller_of_the_soas_two(soa_ttl: int, minimum: int, kept: int) -> None:
    clock = Clock()
    zones = Zones(zone(soa_ttl=soa_ttl, minimum=minimum))
    resolver = view(zones, clock)
    assert resolver.resolve(NODE, "A").ttl == kept
    zones.now = (zone(soa_ttl=soa_ttl, minimum=minimum, demo_0001_001=["10.20.1.5"]),)
    clock.now += kept - 0.5
    assert resolver.resolve(NODE, "A").rcode == "NXDOMAIN"
    clock.now += 0.5
    assert addresses(resolver) == ["10.20.1.5"]


def test_no_holds_for_every_type_but_not_that_type_for_itself_only() -> None:
    clock = Clock()
    zones = Zones(zone())
    resolver = view(zones, clock)
    resolver.resolve(NODE, "AAAA")
    zones.now = (zone(demo_0001_001=["10.20.1.5"]),)
    assert resolver.resolve(NODE, "A").rcode == "NXDOMAIN"
    clock.now += 900
    refused = resolver.resolve(NODE, "AAAA")
    assert (refused.rcode, refused.records, refused.ttl) == ("NOERROR", (), 900)
    assert addresses(resolver) == ["10.20.1.5"]


def test_an_answer_is_kept_for_its_ttl_which_counts_down() -> None:
    clock = Clock()
    zones = Zones(zone(demo_0001_001=["10.20.1.5"]))
    resolver = view(zones, clock)
    assert resolver.resolve(NODE, "A").ttl == 5
    zones.now = (zone(demo_0001_001=["10.20.1.6"]),)
    clock.now += 3
    cached = resolver.resolve(NODE.upper() + ".", "A")
    assert (cached.cached, cached.ttl, cached.records[0].value) == (True, 2, "10.20.1.5")
    clock.now += 2
    assert addresses(resolver) == ["10.20.1.6"]


def test_several_addresses_take_turns() -> None:
    resolver = view(Zones(zone(clustercfg=["10.20.1.1", "10.20.1.2"])))
    firsts = {addresses(resolver, f"clustercfg.{ZONE}")[0] for _ in range(2)}
    assert firsts == {"10.20.1.1", "10.20.1.2"}


def test_a_cname_is_followed_into_public_dns() -> None:
    resolver = view(Zones(zone("park.internal", n1=f"{NODE}.")))
    answer = resolver.resolve("n1.park.internal", "A")
    assert [(r.name, r.kind, r.value) for r in answer.records] == [
        ("n1.park.internal", "CNAME", f"{NODE}."),
        (NODE, "A", "10.30.1.11"),
    ]
    loop = view(Zones(zone("park.internal", n1="n1.park.internal.")))
    assert loop.resolve("n1.park.internal", "A").rcode == "SERVFAIL"


def test_a_wildcard_stands_for_names_that_are_missing_only() -> None:
    wild = Zone(
        ZONE,
        {(f"*.{ZONE}", "A"): RecordSet(5, ("10.20.1.9",)), (NODE, "TXT"): RecordSet(5, ('"x"',))},
    )
    resolver = view(Zones(wild))
    assert addresses(resolver, f"any.{ZONE}") == ["10.20.1.9"]
    assert addresses(resolver) == []


def test_unknown_is_never_no() -> None:
    zones = Zones()
    zones.now = None
    resolver = view(zones)
    assert resolver.resolve(NODE, "A").rcode == "SERVFAIL"
    zones.now = (zone(demo_0001_001=["10.20.1.5"]),)
    assert addresses(resolver) == ["10.20.1.5"]


def test_no_is_never_said_on_the_word_of_an_old_read() -> None:
    zones = Zones(zone())
    zones.late = (zone(demo_0001_001=["10.20.1.5"]),)
    assert addresses(view(zones)) == ["10.20.1.5"]


def test_the_last_known_zones_outlive_the_api() -> None:
    class Reader:
        broken = False

        def read(self) -> Sequence[Zone]:
            if self.broken:
                raise OSError("the API is away")
            return [zone(demo_0001_001=["10.20.1.5"])]

    reader = Reader()
    known = LastKnown(reader)
    first = known(fresh=False)
    reader.broken = True
    assert known(fresh=True) == first
    broken = Reader()
    broken.broken = True
    with pytest.raises(ZonesUnknownError):
        LastKnown(broken)(fresh=False)


def test_names_of_route_53_are_read_as_people_write_them() -> None:
    assert normal("\\052.Demo.Example.com.") == "*.demo.example.com"
