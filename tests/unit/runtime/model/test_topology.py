"""Values: names and addresses have one form, and a topology knows its members."""

import pytest

from nodeway_runtime.model.topology import Hostname, Record, RecordType, Topology, address, hostname
from tests.support.fakes import ENDPOINT, ONE, THREE, TWO, ZONE, named, node, topology


@pytest.mark.parametrize(
    "text",
    [
        "demo-0001-001.Demo.ABC123.use1.cache.amazonaws.com",
        " demo-0001-001.demo.abc123.use1.cache.amazonaws.com. ",
    ],
    ids=["upper case", "trailing dot and blanks"],
)
def test_hostname_has_one_form_whatever_it_came_in(text: str) -> None:
    assert hostname(text) == named(ONE)


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", "-a.b", "a-.b", "a b.c", "*.demo", "a/b", "x" * 64 + ".b", "a." * 127 + "b"],
)
def test_hostname_refuses_what_is_no_host_name(text: str) -> None:
    """What DNS could not hold as a host name is an error that shows what was given."""
    with pytest.raises(ValueError, match="not a host name: got"):
        hostname(text)


def test_address_has_one_form() -> None:
    """Blanks around an address do not matter."""
    assert address(" 10.0.0.1 ") == "10.0.0.1"


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.256", "010.0.0.1", "::1", "a.b.c.d"])
def test_address_refuses_what_is_not_ipv4(text: str) -> None:
    with pytest.raises(ValueError, match="not an IPv4 address: got"):
        address(text)


def test_record_is_the_same_whatever_the_order_and_repeats_of_its_addresses() -> None:
    """A record set is a set: sorted by number, each address once."""
    one = Record.a(named(ONE), [address("10.0.0.10"), address("10.0.0.9"), address("10.0.0.10")], 5)

    assert one.values == ("10.0.0.9", "10.0.0.10")
    assert one.key == (named(ONE), RecordType.A)


MODIFYING, CREATING = (
    topology(ONE, node(TWO, status=status, endpoint=False)) for status in ("modifying", "creating")
)


@pytest.mark.parametrize(
    ("seen", "name", "known"),
    [
        pytest.param(MODIFYING, named(ONE), True, id="by its endpoint"),
        pytest.param(MODIFYING, named(TWO), True, id="by its id, endpoint hidden"),
        pytest.param(MODIFYING, ENDPOINT, True, id="configuration endpoint"),
        pytest.param(MODIFYING, named(THREE), False, id="no member"),
        pytest.param(MODIFYING, ZONE, False, id="the zone itself"),
        pytest.param(MODIFYING, named("odd-name"), True, id="a name of no id, endpoint hidden"),
        pytest.param(CREATING, named("odd-name"), False, id="a name of no id, none hidden"),
    ],
)
def test_topology_knows_members_and_the_configuration_endpoint(
    seen: Topology, name: Hostname, *, known: bool
) -> None:
    """A member is known also while ElastiCache hides its endpoint; so is a name that may be its own."""
    assert seen.has_member(name) is known
