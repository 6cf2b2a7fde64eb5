"""What `nodeway doctor` walks: what a person typed, what the cluster says, or what is deployed."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest
import typer

from nodeway.cli.doctor import (
    NOT_KNOWN,
    make_walker,
    targets_from_args,
    targets_from_aws,
    targets_from_cluster,
)
from nodeway.errors import CommandError
from nodeway_runtime.model.topology import Address, hostname
from nodeway_runtime.paths.targets import Targets
from nodeway_runtime.probe.walker import Login
from tests.support.fakes import (
    ENDPOINT,
    ONE,
    THREE,
    TWO,
    ZONE,
    fleet,
    named,
    proxy,
    record,
    settings,
    topology,
    world,
)
from tests.support.probing import (
    SECRET,
    address_trace,
    fake_walker,
    healthy,
    member,
    members,
    name_trace,
)
from tests.support.terminal import Cloud, Said, Terminal, cloud, settled_world, write_project

USER = Login("probe", SECRET)


def test_what_a_person_types_is_the_map() -> None:
    """One label is the endpoint's; any other is a node's."""
    both = targets_from_args(f"{ENDPOINT.upper()}.:6380", [str(named(ONE)), str(named(ONE))])

    assert both == Targets("demo", ZONE, 6380, (named(ONE), ENDPOINT), ENDPOINT)
    assert targets_from_args(str(named(ONE)), []).endpoint is None
    assert targets_from_args(str(named(ONE)), []).port == 6379


def test_cluster_that_may_be_asked_says_which_nodes_it_has() -> None:
    """All of them are walked, not only the one that was typed."""
    view = (
        *members(),
        replace(member(ONE, f"old.{ZONE}x"), node_id="e" * 40),
        member(ONE, "10.30.1.5"),
    )
    walker = fake_walker(name_trace(ENDPOINT, address_trace(ONE, view=view)), login=USER)

    found = targets_from_cluster(targets_from_args(str(ENDPOINT), []), walker)

    assert found.names == (named(ONE), named(TWO), named(THREE), ENDPOINT)
    assert found.notes == (f"the cluster names nodes outside of the zone: old.{ZONE}x",)


def test_cluster_that_names_what_is_no_name_is_not_believed() -> None:
    names = [f"a b.{ZONE}", f"\x00.{ZONE}", f"{'x' * 64}.{ZONE}"]
    view = tuple(member(ONE, one) for one in names)

    found = targets_from_cluster(
        targets_from_args(str(ENDPOINT), []),
        fake_walker(name_trace(ENDPOINT, address_trace(ONE, view=view)), login=USER),
    )

    assert found.names == (ENDPOINT,)


def test_cluster_that_nobody_may_ask_is_walked_as_far_as_it_was_typed() -> None:
    one = targets_from_args(str(ENDPOINT), [])

    assert targets_from_cluster(one, fake_walker()).notes == (NOT_KNOWN,)
    assert (
        targets_from_cluster(
            targets_from_args(str(ENDPOINT), [str(named(ONE))]), fake_walker()
        ).notes
        == ()
    )
    assert targets_from_cluster(one, fake_walker(*healthy())).names == (ENDPOINT,)


def of(there: Cloud, env: str = "dev", cluster: str | None = None) -> Targets:
    """The map of what is deployed."""

    @dataclass
    class Context:
        obj: Cloud

    return targets_from_aws(cast("typer.Context", Context(there)), env, cluster)


@pytest.mark.usefixtures("nodeway")
def test_what_is_deployed_is_the_map() -> None:
    told_ = world(topology(ONE, TWO), fleet(proxy(ONE, "10.20.1.5")), record(ONE, "10.20.1.5"))

    found = of(cloud(told_))

    assert found.names == (named(ONE), named(TWO), ENDPOINT)
    assert found.records == {named(ONE): (Address("10.20.1.5"),)}
    assert [one.address for one in found.proxies] == ["10.20.1.5"]
    assert not found.one_name


@pytest.mark.usefixtures("nodeway")
def test_shared_proxies_are_asked_for_their_cluster_s_nodes_too() -> None:
    one_name = world(topology(ONE), fleet())

    found = of(Cloud({"demo": (one_name, settings(fleet_name=hostname("any")))}))

    assert found.one_name
    assert named(ONE) in found.names


def test_one_of_several_clusters_is_chosen(nodeway: Terminal, empty_directory: Path) -> None:
    write_project(empty_directory, "demo", "other")
    there = Cloud({"demo": (settled_world(), settings()), "other": (settled_world(), settings())})

    said: Said = nodeway(there, "doctor", "--env", "dev")

    assert (said.code, said.err) == (1, "nodeway: --cluster: give one of demo, other\n")
    assert of(there, cluster="other").cluster == "other"


@pytest.mark.usefixtures("nodeway")
def test_zone_that_cannot_be_read_is_one_line() -> None:
    one_name = world(topology(ONE), fleet())
    one_name.elasticache.error = "throttled"

    with pytest.raises(CommandError, match=r"what is deployed cannot be read: .*throttled"):
        of(Cloud({"demo": (one_name, settings(fleet_name=hostname("any")))}))


def test_authorities_of_a_file_are_trusted_instead_of_the_system_s(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")

    with pytest.raises(CommandError, match="it holds no certificate"):
        make_walker(6379, empty, None)
    assert make_walker(6379, None, USER).login == USER
