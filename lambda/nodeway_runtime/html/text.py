"""Words of the map: what others said, made harmless, and times as people say them. Pure."""

import re
from datetime import UTC, datetime
from html import escape
from math import inf

MAX_CHARACTERS = 200
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def format_age(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds == inf:
        return "an unknown time"
    whole = max(0, int(seconds))
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if whole >= unit:
            return f"{whole // unit} {name}"
    return f"{whole} s"


def seconds_since(when: str, now: datetime) -> float:
    """Since an ISO time; as long ago as can be when it is none, so that nobody takes it for fresh."""
    try:
        then = datetime.fromisoformat(when)
    except ValueError:
        return inf
    return (now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds()


def render_time(now: datetime) -> str:
    """A moment, for machines and people."""
    return f'<time datetime="{now.isoformat()}">{now:%Y-%m-%d %H:%M:%S %Z}</time>'


def escape_text(said: str) -> str:
    """Said by others: no mark-up, and nothing that turns the text around it about."""
    return escape(
        "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in said)
    )


def shorten(said: str) -> str:
    """The same, of a length that leaves room for the other rows."""
    return escape_text(said if len(said) <= MAX_CHARACTERS else f"{said[:MAX_CHARACTERS]}…")


def render_code(ours: str) -> str:
    """A sentence of ours, with its commands as such."""
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escape(ours))
