"""What the probe must say while a fault lasts."""

from collections.abc import Mapping
from dataclasses import dataclass

from nodeway_runtime.paths.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class ExpectedVerdicts:
    """Each of `names` gets one of `verdicts`; all others are reached, but for those that go the same way.

    `beside`: names that may get one of `verdicts`, too, such as the configuration endpoint: it leads to every HAProxy.
    """

    names: frozenset[str]
    verdicts: frozenset[Verdict]
    beside: frozenset[str] = frozenset()

    def contradictions(self, seen: Mapping[str, Verdict]) -> list[str]:
        """What is not as it must be in a run of the probe: a line for each name; none when all is."""
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
    """An expected, of plain values."""
    return ExpectedVerdicts(frozenset(names), frozenset(verdicts), frozenset(beside))
