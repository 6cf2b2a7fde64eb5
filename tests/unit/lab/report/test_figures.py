"""Statistics, thresholds and tables of measured values."""

import pytest

from lab.report.figures import Spread, format_figure, percentile, round_figure, spread
from lab.report.table import Table
from lab.report.threshold import Threshold


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1), (50, 50), (99, 99), (99.1, 100), (100, 100)]
)
def test_a_percentile_is_one_of_the_values(percent: float, value: float) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == value


def test_the_spread_is_the_median_with_the_quartiles() -> None:
    assert spread([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(3.0, 2.0, 4.0)
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0)


@pytest.mark.parametrize(("value", "rounded"), [(123456.0, 123500.0), (0.0123456, 0.01235)])
def test_figures_are_rounded_to_four_digits(value: float, rounded: float) -> None:
    assert round_figure(value) == rounded


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), (0.98765, "0.988"), (12345.6, "12,346"), (100.4, "100")]
)
def test_figures_are_shown_with_three_digits(value: float | None, shown: str) -> None:
    assert format_figure(value) == shown


@pytest.mark.parametrize(
    ("threshold", "met", "failed", "text"),
    [
        (Threshold("p99", 2.0, 2.0), True, False, "met: p99: 2, limit ≤ 2"),
        (Threshold("p99", 2.1, 2.0), False, True, "NOT MET: p99: 2.1, limit ≤ 2"),
        (
            Threshold("rate", 0.9, 1.0, at_least=True, low=0.8, high=0.95),
            *(False, True),
            "NOT MET: rate: 0.9 (0.8 to 0.95), limit ≥ 1",
        ),
        (
            Threshold("rate", 0.9, 1.0, at_least=True, aim=True),
            *(False, False),
            "aim NOT MET: rate: 0.9, limit ≥ 1",
        ),
    ],
)
def test_a_threshold_fails_unless_it_is_met_or_an_aim(
    threshold: Threshold, text: str, *, met: bool, failed: bool
) -> None:
    assert (threshold.met, threshold.failed, str(threshold)) == (met, failed, text)


def test_a_markdown_table_escapes_pipes() -> None:
    table = Table(("name", "value"), [("a|b", "1"), ("c", "2")])

    assert table.to_markdown().splitlines() == [
        "| name | value |",
        "| --- | --: |",
        r"| a\|b | 1 |",
        "| c | 2 |",
    ]
    assert table.to_terminal().row_count == 2
