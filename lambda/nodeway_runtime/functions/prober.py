"""The function in a client's VPC: walks the map that it is given, and answers with the report.

It has no permission but to log, and to read its own secret. An event can make it look up names of its own zone and dial
its own port, and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nodeway_runtime.paths.report import document
from nodeway_runtime.paths.targets import checked
from nodeway_runtime.probe.credentials import NoLogin, login_of
from nodeway_runtime.probe.run import Probe
from nodeway_runtime.probe.settings import WalkSettings
from nodeway_runtime.probe.walker import Login, Walker

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

NO_CREDENTIALS = (
    "no credentials: a node is asked whether it answers, and not who it is (docs/probe.md)"
)


@dataclass(slots=True)
class Kept:
    """What the process keeps from one run to the next."""

    probe: Probe | None = None


KEPT = Kept()


def handle(event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """One run over the event's map; raises BadSettings or BadMap.

    `keep`: the next run is compared with this one.
    """
    return one_run(event, context, WalkSettings.from_environment(), KEPT)


def one_run(
    event: Mapping[str, Any],
    context: "LambdaContext",
    settings: WalkSettings,
    kept: Kept,
    make: Callable[..., Walker] = Walker.of,
) -> dict[str, Any]:
    """The report of a run, by a walker as `make` makes it; raises BadMap."""
    expected = checked(event.get("map") or {}, zone=settings.zone_name, port=settings.port)
    login, notes = logged_in(settings)
    if kept.probe is None:
        kept.probe = Probe(settings.client)
    # the answer must be out before the function's own time is
    kept.probe.seconds = max(context.get_remaining_time_in_millis() / 1000 - 10, 1)
    before = kept.probe.memory
    report = kept.probe.run(expected, make(settings.port, login=login), notes)
    if not event.get("keep"):
        kept.probe.memory = before
    return document(report)


def logged_in(settings: WalkSettings) -> tuple[Login | None, tuple[str, ...]]:
    """The login, read anew in each run since it may be rotated, and what the reader must know about it."""
    try:
        login = login_of(settings)
    except NoLogin as error:
        return None, (str(error),)
    return login, () if login else (NO_CREDENTIALS,)
