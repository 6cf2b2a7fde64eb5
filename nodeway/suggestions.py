"""Suggestions for misspelt words. Pure."""

import difflib
from collections.abc import Iterable


def suggest_nearest(word: str, known: Iterable[str]) -> str:
    """Returns `, did you mean …?` with the closest known word, or an empty string when none is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
