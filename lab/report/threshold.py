"""A measured value and the limit that it must keep."""

from dataclasses import dataclass

from lab.report.figures import format_figure


@dataclass(frozen=True, slots=True)
class Threshold:
    """A measured value with its limit: at most, or with `at_least` at least; `low` and `high` are its quartiles."""

    what: str
    value: float
    limit: float
    at_least: bool = False
    aim: bool = False
    """Wished for: a missed aim is reported and does not fail the run."""
    low: float | None = None
    high: float | None = None

    @property
    def met(self) -> bool:
        """Whether the value keeps the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def failed(self) -> bool:
        """Whether the limit is missed and no aim."""
        return not self.met and not self.aim

    @property
    def condition(self) -> str:
        """The limit as a condition, such as `≤ 0.4`."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    @property
    def quartiles(self) -> str:
        """Both quartiles; nothing when they were not measured."""
        if self.low is None or self.high is None:
            return ""
        return f"{format_figure(self.low)} to {format_figure(self.high)}"

    def __str__(self) -> str:
        spread = f" ({self.quartiles})" if self.quartiles else ""
        verdict = ("aim " if self.aim else "") + ("met" if self.met else "NOT MET")
        return f"{verdict}: {self.what}: {self.value:g}{spread}, limit {self.condition}"
