"""The prober, in a client's VPC: traces the targets in the event and returns the report.

Its role may only write logs and read its own secret. Whatever an event contains, it resolves only names of its zone and
connects only to its port.
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
    """What the process keeps between invocations."""

    probe: Probe | None = None


WARM = WarmState()


def handle(event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """One run over the event's targets; raises BadSettings or BadTargets.

    With `keep` in the event the next run is compared with this one.
    """
    return run_once(event, context, ProberSettings.from_environment(), WARM)


def run_once(
    event: Mapping[str, Any],
    context: "LambdaContext",
    settings: ProberSettings,
    warm: WarmState,
    make: Callable[..., Walker] = Walker.of,
) -> dict[str, Any]:
    """The report of one run, with a walker of `make`; raises BadTargets."""
    targets = parse_targets(event.get("map") or {}, zone=settings.zone_name, port=settings.port)
    login, notes = try_login(settings)
    if warm.probe is None:
        warm.probe = Probe(settings.client)
    # The report must be returned before the function times out.
    warm.probe.seconds = max(context.get_remaining_time_in_millis() / 1000 - 10, 1)
    before = warm.probe.memory
    report = warm.probe.run(targets, make(settings.port, login=login), notes)
    if not event.get("keep"):
        warm.probe.memory = before
    return to_document(report)


def try_login(settings: ProberSettings) -> tuple[Login | None, tuple[str, ...]]:
    """The login, if there is one, and notes for the report. It is loaded in each run, as it may be rotated."""
    try:
        login = load_login(settings)
    except NoLogin as error:
        return None, (str(error),)
    return login, () if login else (NO_CREDENTIALS,)
