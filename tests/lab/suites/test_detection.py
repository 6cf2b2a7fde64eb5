"""Each fault of a path: what it really does to a client, what the deployed probe calls it, and that it heals."""

import pytest

from lab import layout
from lab.deployment.product import Product
from lab.deployment.world import World
from lab.detection.cost import probe_costs_little
from lab.detection.faults import FAULTS, inject
from lab.detection.scenarios import (
    SUITE,
    healthy_paths_stay_ok,
    logs_hold_no_secret,
    not_ok,
    probe_until_named,
)
from lab.faults.expected_verdicts import expect_verdicts
from lab.observe import client_view as view
from lab.observe.steady_state import describe_trouble
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.lab.fault_effects import EFFECTS, OBSERVATIONS, Observation
from tests.support.lab.room import Room

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls")]


def examine(name: str) -> Observation:
    """Injects one fault and looks at its effects, and at the lab after it."""
    world, product = World.attach(layout.run_dir()), Product()
    before = product.records()
    with inject(FAULTS[name], world) as expected:
        seen = OBSERVATIONS[name](world, product, expected)
        _, _, contradictions = probe_until_named(product, expected)
    after = product.records()
    return seen | {
        "names": sorted(one.removesuffix(f".{layout.ZONE}") for one in expected.names),
        "verdicts": sorted(expected.verdicts),
        "changed": sorted(one for one in before | after if before.get(one) != after.get(one)),
        "trouble": describe_trouble(world, product),
        "contradictions": contradictions,
        "afterwards": not_ok(product.probe()),
    }


def scenario(name: str) -> Observation:
    """Runs one of the probe's scenarios, which raises ExpectationFailed."""
    run = next(one for one in SUITE if one.__name__ == name)
    return run(World.attach(layout.run_dir()))


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_real_and_has_its_name_and_heals(up: Room, name: str) -> None:
    """All other nodes are reached meanwhile, the probe names it within two runs, and afterwards all is as before."""
    seen = up.call(examine, name)

    assert EFFECTS[name](seen), seen
    assert seen.get("others", []) in ([], [view.VERIFIED])
    assert seen["contradictions"] == []
    assert (seen["trouble"], seen["afterwards"]) == ("", {})
    if name == "dead_proxy":
        assert (
            {seen["name"]}
            <= set(seen["changed"])
            <= {
                seen["name"],
                layout.CONFIGURATION_ENDPOINT,
            }
        )
    else:
        assert seen["changed"] == []


@pytest.mark.parametrize(
    "name",
    [healthy_paths_stay_ok.__name__, probe_costs_little.__name__, logs_hold_no_secret.__name__],
)
def test_scenario_of_the_probe_is_as_expected(up: Room, name: str) -> None:
    """No false verdict under load, a run within its minute, and no password in any line."""
    assert up.call(scenario, name)


@pytest.mark.parametrize(
    ("verdicts", "lines"),
    [
        ({"a": Verdict.DEAD_PROXY, "b": Verdict.OK, "c": Verdict.DEAD_PROXY}, []),
        ({"a": Verdict.DEAD_PROXY, "b": Verdict.OK, "c": Verdict.OK}, []),
        ({"b": Verdict.OK}, ["a: not in the report"]),
        ({"a": Verdict.OK, "b": Verdict.OK}, ["a: ok, and not dead_proxy"]),
        (
            {"a": Verdict.DEAD_PROXY, "b": Verdict.DEAD_PROXY, "c": Verdict.NODE_DOWN},
            ["b: dead_proxy, and not ok", "c: node_down, and not dead_proxy or ok"],
        ),
    ],
)
def test_expectation_says_what_contradicts_it(
    verdicts: dict[str, Verdict], lines: list[str]
) -> None:
    """Names of the fault must have it, names beside may, and no other one."""
    expected = expect_verdicts("a", verdicts=(Verdict.DEAD_PROXY,), beside=("c",))

    assert expected.contradictions(verdicts) == lines


def test_every_fault_has_a_line_for_people() -> None:
    """The table's texts are the functions' own."""
    docs = [str(fault.__doc__) for fault in FAULTS.values()]

    assert all(doc.endswith(".") and "\n" not in doc for doc in docs)
    assert FAULTS.keys() == EFFECTS.keys()
