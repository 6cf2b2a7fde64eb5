"""The map for every eye and every reader: contrast, landmarks, headers, themes, and one file that needs no other."""

import re
from collections.abc import Mapping

import pytest

from nodeway_runtime.html.page import render_fragment, render_page
from nodeway_runtime.html.style import DARK, LIGHT, TINTED
from nodeway_runtime.html.text import format_age
from tests.support.pages.html_page import Page
from tests.support.reports import NOW, report

AA = 4.5
"""https://www.w3.org/TR/WCAG22/#contrast-minimum"""


def test_page_is_one_file_that_fetches_nothing_and_runs_nothing() -> None:
    found = Page(render_page(report(), NOW))
    addresses = [
        value
        for _, attributes in found.found
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "action", "data", "poster"}
    ]

    assert not found.all("script")
    assert addresses == ["data:,"]
    assert not re.search(r"url\(|@import|https?:", render_page(report(), NOW))


def test_page_has_landmarks_a_language_and_headers_with_scope() -> None:
    found = Page(render_page(report(), NOW))

    assert found.all("html") == [{"lang": "en"}]
    assert all(len(found.all(tag)) == 1 for tag in ("header", "main", "footer", "h1", "title"))
    assert all(one.get("scope") for one in found.all("th"))
    assert all(one.get("role") for tag in ("table", "tr", "td", "th") for one in found.all(tag))
    assert "width=device-width" in render_page(report(), NOW)
    assert "prefers-reduced-motion" in render_page(report(), NOW)
    assert "ages count from 2026-03-01 03:00:12 UTC" in found.words


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dashboard_s_theme_wins(theme: str) -> None:
    assert f'data-theme="{theme}"' in render_fragment(report(), NOW, theme=theme)
    assert (
        "data-theme="
        not in render_fragment(report(), NOW, theme='"><script>').partition("<style>")[0]
    )


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_all_text_has_enough_contrast(palette: Mapping[str, str]) -> None:
    """WCAG 2.2, AA, on each ground that the text may stand on."""
    pairs = [(text, ground) for text in ("text", "muted", "accent") for ground in ("page", "card")]
    pairs += [("text", f"{state}-soft") for state in TINTED]
    pairs += [(state, ground) for state in TINTED for ground in ("page", "card", f"{state}-soft")]

    weak = {pair: ratio for pair in pairs if (ratio := contrast(*(palette[n] for n in pair))) < AA}

    assert weak == {}


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("leg", ["resolve", "connect", "tls", "answer"])
def test_all_bars_can_be_seen(palette: Mapping[str, str], leg: str) -> None:
    """WCAG 2.2, 1.4.11: three to one for what is no text."""
    grounds = [contrast(palette[leg], palette[ground]) for ground in ("card", "broken-soft")]

    assert min(grounds) >= 3


def contrast(one: str, other: str) -> float:
    """As of https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    light, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (7_300, "2 h"), (90_000, "1 d")],
)
def test_ages_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert format_age(seconds) == said
