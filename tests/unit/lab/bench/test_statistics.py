"""Ratios within rounds, and the thresholds."""

from dataclasses import replace

import pytest

from lab.bench.load.profiles import IDLE, LOADS, PIPELINED, SATURATED, UNLOADED, Sample
from lab.bench.report.statistics import ratios, rows
from lab.bench.report.thresholds import check_thresholds
from lab.bench.setup.variants import AGAIN, DIRECT, ENVOY, HAPROXY, KERNEL
from lab.errors import LabError

BASE = (DIRECT, AGAIN)


def run(number: int, variant: str, rate: float, load: str = SATURATED) -> Sample:
    return Sample(number, variant, load, rate, p99=1000 / rate)


def good() -> list[Sample]:
    """Two rounds in which every threshold is met, aims included."""
    made = []
    for number in range(2):
        for load in LOADS:
            rates = {DIRECT: 100.0, AGAIN: 100.0, KERNEL: 90.0, HAPROXY: 80.0, ENVOY: 40.0}
            for variant, rate in rates.items():
                if load.subscribers and variant == ENVOY:
                    continue
                own = replace(run(number, variant, rate, load.name), cpu_us=1.0)
                if variant == ENVOY:
                    own = replace(own, cpu_us=4.0)
                if load.name == IDLE:
                    own = replace(own, kb_per_connection=30.0 if variant == ENVOY else 3.0)
                made.append(own)
    return made


def test_a_ratio_is_to_the_mean_of_the_base_of_its_own_round() -> None:
    samples = [run(0, DIRECT, 90), run(0, AGAIN, 110), run(0, HAPROXY, 50)]
    samples += [run(1, DIRECT, 10), run(1, AGAIN, 10), run(1, HAPROXY, 8)]

    assert ratios(samples, SATURATED, "requests_per_second", HAPROXY, BASE) == [0.5, 0.8]


def test_a_round_without_its_base_or_its_figure_is_left_out() -> None:
    samples = [run(0, DIRECT, 100), run(0, HAPROXY, 50)]
    samples += [run(1, DIRECT, 10), run(1, AGAIN, 10), run(1, HAPROXY, 8)]

    assert ratios(samples, SATURATED, "requests_per_second", HAPROXY, BASE) == [0.8]
    assert ratios(samples, SATURATED, "cpu_us", HAPROXY, BASE) == []


def test_the_same_thing_again_shows_the_noise() -> None:
    samples = [run(0, DIRECT, 100), run(0, AGAIN, 120), run(0, HAPROXY, 55)]

    found = {row["variant"]: row["ratio_to_direct"] for row in rows(samples, BASE, {})}

    assert found == {DIRECT: 1.0, AGAIN: 1.2, HAPROXY: 0.5}


def test_a_load_that_a_variant_cannot_carry_has_a_reason_and_no_number() -> None:
    samples = [run(0, DIRECT, 100), run(0, AGAIN, 100), run(0, ENVOY, 50)]
    samples += [run(0, DIRECT, 100, "fan-out"), run(0, AGAIN, 100, "fan-out")]

    found = rows(samples, BASE, {ENVOY: {"fan-out": "no way"}})

    assert found[-1] == {"variant": ENVOY, "load": "fan-out", "not_possible": "no way"}


def test_every_threshold_is_met_by_figures_that_are_good_enough() -> None:
    thresholds = check_thresholds(good())

    assert [one.what for one in thresholds if not one.met] == []
    assert (sum(not one.aim for one in thresholds), len(thresholds)) == (9, 16)


@pytest.mark.parametrize(
    ("load", "change", "what"),
    [
        (PIPELINED, {"requests_per_second": 63.0}, "requests/s to Envoy's, pipelined"),
        (SATURATED, {"requests_per_second": 1.0}, "requests/s to kernel forwarding's, saturated"),
        (PIPELINED, {"cpu_us": 1.7}, "CPU per request to Envoy's, pipelined"),
        (IDLE, {"kb_per_connection": 10.0}, "memory per connection to Envoy's"),
        (UNLOADED, {"p99": 25.1}, "p99 to direct's, unloaded"),
    ],
)
def test_a_figure_that_is_not_good_enough_is_not_met(
    load: str, change: dict[str, float], what: str
) -> None:
    samples = [
        replace(one, **change) if (one.variant, one.load) == (HAPROXY, load) else one  # type: ignore[arg-type]
        for one in good()
    ]

    missed = {one.what for one in check_thresholds(samples) if one.failed}

    assert missed == {what}


def test_a_threshold_that_was_not_measured_is_no_silent_success() -> None:
    samples = [one for one in good() if (one.variant, one.load) != (HAPROXY, UNLOADED)]

    with pytest.raises(LabError, match="not measured: requests/s to Envoy's, unloaded"):
        check_thresholds(samples)
