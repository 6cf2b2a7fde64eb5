"""`nodeway plan` and `apply` over the in-memory fakes: what a person and a machine read, and the exit code."""

from pathlib import Path

import pytest

from nodeway.cli.account import Deployment
from nodeway_runtime.model.settings import Mode
from nodeway_runtime.model.topology import address
from tests.support.fakes import (
    ONE,
    STAND_IN,
    THREE,
    TWO,
    addresses,
    fleet,
    marked,
    named,
    proxy,
    record,
    settings,
    topology,
    world,
)
from tests.support.terminal import Cloud, Terminal, cloud, gone, moved, settled_world, write_project


def test_plan_shows_what_would_change_and_changes_nothing(nodeway: Terminal) -> None:
    """`+` and `~` lines with reasons, what is in force, the count and the checksum; the zone stays."""
    told = moved()
    before = told.zone.records()

    said = nodeway(cloud(told), "plan", "--env", "dev")

    lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert lines[0] == "demo in dev: resync=on, ttl=5 s, pins: none"
    assert f"~ {named(ONE)} A 10.20.1.5 ttl=5 -> 10.20.1.9 ttl=5  # 1 healthy proxy task" in lines
    assert f"+ {named(TWO)} A 10.20.2.4 ttl=5  # 1 healthy proxy task" in lines
    assert lines[-2] == "2 to create, 2 to change, 0 to delete; 2 ownership markers with them"
    assert lines[-1].startswith("checksum ")
    assert "\x1b" not in said.out
    assert told.zone.records() == before


def test_plan_says_so_when_there_is_nothing_to_do(nodeway: Terminal) -> None:
    said = nodeway(cloud(settled_world()), "plan", "--env", "dev", "--exit-code")

    assert said.code == 0
    assert said.out.splitlines()[-1] == "nothing to do: 2 nodes, every record is right"
    assert nodeway(cloud(moved()), "plan", "--env", "dev", "--exit-code").code == 2


def test_plan_shows_mode_pins_and_ttl_in_force(nodeway: Terminal) -> None:
    """What is deployed counts, not what cdk.json says."""
    pins = {named(ONE): (address("10.20.1.77"),)}

    said = nodeway(cloud(moved(), ttl=9, mode=Mode.OBSERVE, pins=pins), "plan", "--env", "dev")

    assert said.out.splitlines()[0] == (
        f"demo in dev: resync=observe, ttl=9 s, pins: {named(ONE)}=10.20.1.77"
    )
    assert "# pinned" in said.out


def test_plan_shows_what_the_guard_refuses_and_why(nodeway: Terminal) -> None:
    """The rule, the reason, and the checksum that lets it through."""
    said = nodeway(cloud(gone()), "plan", "--env", "dev")

    refused = [line for line in said.out.splitlines() if line.startswith("! refused: - ")]
    assert len(refused) == 2
    assert "mass_delete_needs_approval" in refused[0]
    assert "approve=" in refused[0]
    assert said.out.splitlines()[-1].endswith("2 refused")


def test_plan_tells_an_incomplete_read(nodeway: Terminal) -> None:
    told = moved()
    told.ecs.error = "throttled"

    said = nodeway(cloud(told), "plan", "--env", "dev")

    assert said.code == 0
    assert "? not completely read: ECS did not answer for cluster nodeway: throttled" in said.out


def test_plan_shows_steps_with_stand_ins(nodeway: Terminal) -> None:
    told = world(topology(ONE, TWO), fleet(proxy(ONE, "10.20.1.9")))

    said = nodeway(cloud(told, stand_in=STAND_IN), "plan", "--env", "dev")

    assert f"+ stand-in for {named(TWO)}" in said.out
    assert "1 stand-in step" in said.out


def test_plan_for_machines_has_every_key(nodeway: Terminal) -> None:
    """The keys are the contract; a script may rely on each of them."""
    said = nodeway(cloud(gone()), "plan", "--env", "dev", "--json")

    assert said.json["environment"] == "dev"
    assert set(said.cluster) == {
        *("cluster", "zone", "mode", "ttl_seconds", "pins", "take_over", "nodes", "checksum"),
        *("nodes_without_proxy", "nodes_over_stand_in_limit", "problems", "changes", "refused"),
        *("stand_ins", "applied", "change_ids", "error"),
    }
    for change in said.cluster["refused"]:
        assert set(change) == {
            *("action", "record", "type", "old", "new", "ttl", "why", "rule", "reason")
        }


def test_one_cluster_s_failure_does_not_stop_another(
    nodeway: Terminal, empty_directory: Path
) -> None:
    """Its line is on standard error, and the exit code says it; the other's plan is there."""
    write_project(empty_directory, "broken", "demo")
    both = Cloud({"broken": "nothing is deployed", "demo": (moved(), settings())})

    said = nodeway(both, "plan", "--env", "dev")
    machine = nodeway(both, "plan", "--env", "dev", "--json").json["clusters"]
    one = nodeway(both, "plan", "--env", "dev", "--cluster", "demo")

    assert (said.code, one.code) == (1, 0)
    assert said.err == "nodeway: broken: nothing is deployed\n"
    assert f"+ {named(TWO)} A" in said.out
    assert [one["error"] for one in machine] == ["nothing is deployed", None]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("plan", "--env", "dve"), "unknown environment: got 'dve', did you mean 'dev'?"),
        (
            ("plan", "--env", "dev", "--cluster", "dmo"),
            "unknown cluster of dev: got 'dmo', did you mean 'demo'?",
        ),
        (("explain", "no_such..name", "--env", "dev"), "not a host name: got 'no_such..name'"),
    ],
)
def test_misspelt_word_is_one_line_with_the_nearest(
    nodeway: Terminal, words: tuple[str, ...], told: str
) -> None:
    said = nodeway(cloud(moved()), *words)

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"nodeway: {told}")
    assert said.err.count("\n") == 1


def checksum_of(nodeway: Terminal, there: Cloud, *more: str) -> str:
    """The checksum of the plan of this moment."""
    return str(nodeway(there, "plan", "--env", "dev", *more, "--json").cluster["checksum"])


def apply_words(checksum: str, *more: str) -> tuple[str, ...]:
    """An apply of this checksum."""
    return "apply", "--env", "dev", "--checksum", checksum, *more


def test_apply_does_what_was_reviewed(nodeway: Terminal) -> None:
    """The records are as the plan said, and the next plan is empty."""
    told = moved()
    checksum = checksum_of(nodeway, cloud(told))

    said = nodeway(cloud(told), *apply_words(checksum))

    assert said.code == 0
    assert said.out.splitlines()[-1] == "applied: record changes 6 (C1, C2), stand-in steps 0"
    assert addresses(told.zone)[ONE] == ("10.20.1.9",)
    assert "nothing to do" in nodeway(cloud(told), "plan", "--env", "dev").out


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.OFF])
def test_apply_works_when_the_function_only_observes_or_is_off(
    nodeway: Terminal, mode: Mode
) -> None:
    """The mode rules the function; a person with a checksum has decided."""
    told = moved()
    there = cloud(told, mode=mode)
    checksum = checksum_of(nodeway, there)

    assert nodeway(there, *apply_words(checksum)).code == 0
    assert addresses(told.zone)[ONE] == ("10.20.1.9",)


def test_apply_refuses_a_plan_that_nobody_reviewed(nodeway: Terminal) -> None:
    """It prints the plan of this moment and changes nothing."""
    told = moved()
    before = told.zone.records()

    said = nodeway(cloud(told), *apply_words("000000000000"))

    assert said.code == 1
    assert f"+ {named(TWO)} A" in said.out
    assert said.err.startswith("nodeway: no current plan has the checksum 000000000000: demo has ")
    assert told.zone.records() == before


def test_apply_refuses_when_the_world_moves_after_the_look(nodeway: Terminal) -> None:
    """Between its own look and its write a task was replaced: nothing is done."""
    told = moved()
    checksum = checksum_of(nodeway, cloud(told))
    before = told.zone.records()

    said = nodeway(Restless({"demo": (told, settings())}), *apply_words(checksum))

    assert said.code == 1
    assert said.err == (
        "nodeway: demo: the plan changed before it was applied; nothing was done: plan again\n"
    )
    assert told.zone.records() == before


class Restless(Cloud):
    """An account in which a HAProxy is replaced each time that somebody looks."""

    looks = 0

    def deployment(self, cluster: str) -> Deployment:
        """From the second look on, the second node's HAProxy is somewhere else."""
        found = super().deployment(cluster)
        self.looks += 1
        if self.looks > 1:
            told = self.deployed[cluster]
            assert not isinstance(told, str)
            told[0].ecs.answer = fleet(proxy(ONE, "10.20.1.9"), proxy(TWO, "10.20.2.99"))
        return found


def test_apply_tells_a_lost_race_in_one_line(nodeway: Terminal) -> None:
    """Compare and set is Route 53's: what somebody else wrote meanwhile stays."""
    told = moved()
    checksum = checksum_of(nodeway, cloud(told))
    told.zone.rival = record(ONE, "10.9.9.9")

    said = nodeway(cloud(told), *apply_words(checksum))

    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "changed by somebody else" in said.err


def test_checksum_covers_steps_with_stand_ins(nodeway: Terminal) -> None:
    """A step that nobody read is not taken: the same records with another step are another plan."""
    told = world(topology(ONE, TWO), fleet(proxy(ONE, "10.20.1.9")))
    told.run()
    there = cloud(told, stand_in=STAND_IN)
    checksum = checksum_of(nodeway, there)

    told.elasticache.answer = topology(ONE, TWO, THREE)
    refused = nodeway(there, *apply_words(checksum))
    told.elasticache.answer = topology(ONE, TWO)
    done = nodeway(there, *apply_words(checksum))

    assert (refused.code, done.code) == (1, 0)
    assert [step.node for step in told.ecs.steps] == [named(TWO)]


def test_apply_with_approval_lets_the_guarded_part_through(nodeway: Terminal) -> None:
    """Plan with the approval, read, apply with both."""
    told = gone()
    there = cloud(told)
    reason = nodeway(there, "plan", "--env", "dev", "--json").cluster["refused"][0]["reason"]
    approval = ("--approve", reason.rpartition("approve=")[2])

    checksum = checksum_of(nodeway, there, *approval)
    said = nodeway(there, *apply_words(checksum, *approval))

    assert said.code == 0
    assert set(addresses(told.zone)) == {ONE, "clustercfg"}


def test_take_over_makes_a_foreign_record_ours(nodeway: Terminal) -> None:
    """Without it the record stays, and the plan says how."""
    told = world(topology(ONE), fleet(proxy(ONE, "10.20.1.9")), record(ONE, "10.9.9.9"))
    there = cloud(told)

    refused = nodeway(there, "plan", "--env", "dev")
    plan = nodeway(there, "plan", "--env", "dev", "--take-over", "--json").cluster
    done = nodeway(there, *apply_words(plan["checksum"], "--take-over"))

    assert "foreign_record_stays" in refused.out
    assert done.code == 0
    assert addresses(told.zone)[ONE] == ("10.20.1.9",)


def test_checksum_covers_a_name_that_becomes_ours(nodeway: Terminal) -> None:
    """A marker alone is a change that a person reviews, too; the checksum of no change does not let it through."""
    told = settled_world()
    nothing = checksum_of(nodeway, cloud(told))
    told.zone.remove(marked(record(ONE))[1])

    said = nodeway(cloud(told), *apply_words(nothing, "--take-over"))

    assert said.code == 1
    assert "heritage=nodeway" in said.out


def test_apply_leaves_a_cluster_alone_whose_checksum_was_not_given(
    nodeway: Terminal, empty_directory: Path
) -> None:
    """Each cluster's plan is reviewed by itself."""
    write_project(empty_directory, "demo", "other")
    first, second = moved(), world(topology(ONE), fleet(proxy(ONE, "10.20.7.7")))
    both = Cloud({"demo": (first, settings()), "other": (second, settings())})
    checksum = checksum_of(nodeway, both)

    assert nodeway(both, *apply_words(checksum)).code == 0
    assert addresses(first.zone)[ONE] == ("10.20.1.9",)
    assert addresses(second.zone) == {}


@pytest.mark.parametrize(("without", "codes"), [("", 2), ("1", 0)])
def test_colours_are_for_terminals_that_want_them(
    nodeway: Terminal, monkeypatch: pytest.MonkeyPatch, without: str, codes: int
) -> None:
    """NO_COLOR is honoured (https://no-color.org)."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", without)

    said = nodeway(cloud(moved()), "plan", "--env", "dev")

    assert said.out.count("\x1b[32m+") == codes
