"""Escapes and formats the texts of the map. Pure."""

import re
from datetime import UTC, datetime
from html import escape
from math import inf

MAX_CHARACTERS = 200
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def format_age(seconds: float) -> str:
    """A duration in its largest unit, such as `5 min`."""
    if seconds == inf:
        return "an unknown time"
    whole = max(0, int(seconds))
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if whole >= unit:
            return f"{whole // unit} {name}"
    return f"{whole} s"


def seconds_since(when: str, now: datetime) -> float:
    """Seconds since an ISO 8601 time; infinity when it is malformed."""
    try:
        then = datetime.fromisoformat(when)
    except ValueError:
        return inf
    return (now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds()


def render_time(now: datetime) -> str:
    """A time as a `time` element."""
    return f'<time datetime="{now.isoformat()}">{now:%Y-%m-%d %H:%M:%S %Z}</time>'


def escape_text(text: str) -> str:
    """Untrusted text without mark-up and control characters, such as those for the writing direction."""
    return escape(
        "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    )


def shorten(text: str) -> str:
    """Untrusted text, escaped, of at most MAX_CHARACTERS."""
    return escape_text(text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…")


def render_code(text: str) -> str:
    """A text of ours, with `code` in backquotes."""
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escape(text))
