"""The targets of `nodeway doctor`: from arguments, from the cluster, or from AWS."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import typer

from nodeway.cli.doctor import (
    NOT_KNOWN,
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
TYPED = targets_from_args(str(ENDPOINT), [])


def test_arguments_are_an_endpoint_and_nodes() -> None:
    """The endpoint is the configuration endpoint if its first label says so."""
    both = targets_from_args(f"{ENDPOINT.upper()}.:6380", [str(named(ONE)), str(named(ONE))])
    node = targets_from_args(str(named(ONE)), [])

    assert both == Targets("demo", ZONE, 6380, (named(ONE), ENDPOINT), ENDPOINT)
    assert (node.endpoint, node.port) == (None, 6379)


def test_cluster_reports_its_nodes() -> None:
    view = (
        *members(),
        replace(member(ONE, f"old.{ZONE}x"), node_id="e" * 40),
        member(ONE, "10.30.1.5"),
    )
    walker = fake_walker(name_trace(ENDPOINT, address_trace(ONE, view=view)), login=USER)

    targets = targets_from_cluster(TYPED, walker)

    assert targets.names == (named(ONE), named(TWO), named(THREE), ENDPOINT)
    assert targets.notes == (f"the cluster names nodes outside of the zone: old.{ZONE}x",)


def test_reported_texts_that_are_no_host_names_are_ignored() -> None:
    names = [f"a b.{ZONE}", f"\x00.{ZONE}", f"{'x' * 64}.{ZONE}"]
    view = tuple(member(ONE, name) for name in names)
    walker = fake_walker(name_trace(ENDPOINT, address_trace(ONE, view=view)), login=USER)

    assert targets_from_cluster(TYPED, walker).names == (ENDPOINT,)


def test_targets_without_a_login_are_the_arguments() -> None:
    two = targets_from_args(str(ENDPOINT), [str(named(ONE))])

    assert targets_from_cluster(TYPED, fake_walker()).notes == (NOT_KNOWN,)
    assert targets_from_cluster(two, fake_walker()).notes == ()
    assert targets_from_cluster(TYPED, fake_walker(*healthy())).names == (ENDPOINT,)


def deployed(account: Cloud, cluster: str | None = None) -> Targets:
    """The targets of the environment `dev`."""
    context = cast("typer.Context", SimpleNamespace(obj=account))
    return targets_from_aws(context, "dev", cluster)


@pytest.mark.usefixtures("nodeway")
def test_deployment_has_nodes_records_and_proxies() -> None:
    targets = deployed(
        cloud(world(topology(ONE, TWO), fleet(proxy(ONE, "10.20.1.5")), record(ONE, "10.20.1.5")))
    )

    assert targets.names == (named(ONE), named(TWO), ENDPOINT)
    assert targets.records == {named(ONE): (Address("10.20.1.5"),)}
    assert [proxy.address for proxy in targets.proxies] == ["10.20.1.5"]
    assert not targets.one_name


@pytest.mark.usefixtures("nodeway")
def test_deployment_of_shared_proxies_has_nodes_too() -> None:
    shared = settings(fleet_name=hostname("any"))

    targets = deployed(Cloud({"demo": (world(topology(ONE), fleet()), shared)}))

    assert targets.one_name
    assert named(ONE) in targets.names


def test_one_of_several_clusters_is_chosen(nodeway: Terminal, empty_directory: Path) -> None:
    write_project(empty_directory, "demo", "other")
    account = Cloud({"demo": (settled_world(), settings()), "other": (settled_world(), settings())})

    said: Said = nodeway(account, "doctor", "--env", "dev")

    assert (said.code, said.err) == (1, "nodeway: --cluster: give one of demo, other\n")
    assert deployed(account, cluster="other").cluster == "other"


@pytest.mark.usefixtures("nodeway")
def test_unreadable_zone_is_one_line() -> None:
    throttled = world(topology(ONE), fleet())
    throttled.elasticache.error = "throttled"

    with pytest.raises(CommandError, match=r"the deployment cannot be read: .*throttled"):
        deployed(Cloud({"demo": (throttled, settings(fleet_name=hostname("any")))}))
