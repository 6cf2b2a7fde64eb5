"""The function in a client's VPC: walks the map that it is given, and answers with the report.

It has no permission but to log, and to read its own secret. An event can make it look up names of its own zone and dial
its own port, and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nodeway_runtime.paths.report import to_document
from nodeway_runtime.paths.targets import parse_targets
from nodeway_runtime.probe.credentials import NoLogin, load_login
from nodeway_runtime.probe.run import Probe
from nodeway_runtime.probe.settings import ProberSettings
from nodeway_runtime.probe.walker import Login, Walker

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

NO_CREDENTIALS = (
    "no credentials: a node is asked whether it answers, and not who it is (docs/probe.md)"
)


@dataclass(slots=True)
class WarmState:
    """What the process keeps from one run to the next."""

    probe: Probe | None = None


WARM = WarmState()


def handle(event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """One run over the event's map; raises BadSettings or BadMap.

    `keep`: the next run is compared with this one.
    """
    return run_once(event, context, ProberSettings.from_environment(), WARM)


def run_once(
    event: Mapping[str, Any],
    context: "LambdaContext",
    settings: ProberSettings,
    kept: WarmState,
    make: Callable[..., Walker] = Walker.of,
) -> dict[str, Any]:
    """The report of a run, by a walker as `make` makes it; raises BadMap."""
    expected = parse_targets(event.get("map") or {}, zone=settings.zone_name, port=settings.port)
    login, notes = try_login(settings)
    if kept.probe is None:
        kept.probe = Probe(settings.client)
    # the answer must be out before the function's own time is
    kept.probe.seconds = max(context.get_remaining_time_in_millis() / 1000 - 10, 1)
    before = kept.probe.memory
    report = kept.probe.run(expected, make(settings.port, login=login), notes)
    if not event.get("keep"):
        kept.probe.memory = before
    return to_document(report)


def try_login(settings: ProberSettings) -> tuple[Login | None, tuple[str, ...]]:
    """The login, read anew in each run since it may be rotated, and what the reader must know about it."""
    try:
        login = load_login(settings)
    except NoLogin as error:
        return None, (str(error),)
    return login, () if login else (NO_CREDENTIALS,)
