"""The known word that somebody may have meant. Pure."""

import difflib
from collections.abc import Iterable


def suggest_nearest(word: str, known: Iterable[str]) -> str:
    """`, did you mean …?` for a word that is close to a known one."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
