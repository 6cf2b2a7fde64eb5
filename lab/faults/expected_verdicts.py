"""The verdicts that the probe must report during a fault."""

from collections.abc import Mapping
from dataclasses import dataclass

from nodeway_runtime.paths.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class ExpectedVerdicts:
    """Each of `names` must get one of `verdicts`, all others ok.

    `beside`: names that may get either, such as the configuration endpoint, which leads to every HAProxy.
    """

    names: frozenset[str]
    verdicts: frozenset[Verdict]
    beside: frozenset[str] = frozenset()

    def contradictions(self, seen: Mapping[str, Verdict]) -> list[str]:
        """A line for each name of a run's report with an unexpected verdict, and for each missing name."""
        missing = [f"{name}: not in the report" for name in sorted(self.names - seen.keys())]
        return missing + [
            f"{name}: {verdict}, and not {' or '.join(sorted(self._allowed(name)))}"
            for name, verdict in sorted(seen.items())
            if verdict not in self._allowed(name)
        ]

    def _allowed(self, name: str) -> frozenset[Verdict]:
        if name in self.names:
            return self.verdicts
        return self.verdicts | {Verdict.OK} if name in self.beside else frozenset({Verdict.OK})


def expect_verdicts(
    *names: str, verdicts: tuple[Verdict, ...], beside: tuple[str, ...] = ()
) -> ExpectedVerdicts:
    """The expected verdicts, from plain values."""
    return ExpectedVerdicts(frozenset(names), frozenset(verdicts), frozenset(beside))
