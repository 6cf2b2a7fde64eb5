"""`nodeway lab up --web` in a real browser: the map of a real lab, a fault by a click, and nothing left afterwards."""

import io
import json
import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys

from lab.layout import ROOT
from tests.support.lab import chromium
from tests.support.lab.command import left_behind, nodeway, own_run_directory
from tests.support.lab.page import DESKTOP, NAMES, PHONE, Tab, Web, start_page

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("walls")]

PICTURE = ROOT / "docs" / "img" / "map.png"
MOST_BYTES = 200_000
POINTS = 20
"""Seconds of load before a fault, for the picture's sake."""


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A browser; where none can be had, these tests are shown as not run."""
    try:
        found = chromium.programs()
    except SystemExit as reason:
        pytest.skip(str(reason))
    with chromium.open_browser(found, tmp_path_factory.mktemp("browser") / "profile") as browser:
        yield browser


@pytest.fixture(scope="module")
def web(chrome: Chrome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A page that has start_page its lab. Its end ends the lab, too, and the browser says that it is over."""
    with own_run_directory(tmp_path_factory.mktemp("lab") / "run"):
        with start_page() as running:
            yield running
            tab = Tab(chrome)
            tab.open(running.address)
            said = running.end(signal.SIGINT)
            tab.until(lambda: tab.text("#link").startswith("✕"), "the end in the browser")

        assert (running.process.returncode, left_behind()) == (0, [])
        assert said.splitlines()[-1] == "the page and the lab have ended"


@pytest.fixture
def tab(chrome: Chrome, web: Web) -> Iterator[Tab]:
    """The page on a desktop; whatever the test did, the console has nothing to complain of."""
    found = Tab(chrome)
    found.look(DESKTOP, dark=False)
    found.open(web.address)
    yield found
    assert found.complaints() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_page_fits_its_screen(tab: Tab, size: tuple[int, int], *, dark: bool) -> None:
    """All rows, no scrolling to the side, and the ground as light as the system wants it."""
    tab.look(size, dark=dark)
    tab.picture(f"{'phone' if size == PHONE else 'desktop'}-{'dark' if dark else 'light'}")

    wide, ground = tab.script(
        "return [document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]"
    )

    assert len(tab.rows()) == NAMES
    assert wide <= size[0]
    assert (sum(map(int, ground[4:-1].split(","))) < 3 * 128) == dark


def test_page_takes_nothing_from_elsewhere(tab: Tab, web: Web) -> None:
    taken = tab.script("return performance.getEntriesByType('resource').map((one) => one.name)")

    assert taken
    assert [one for one in taken if not one.startswith(web.address)] == []


def test_what_was_opened_and_focused_stays_so_while_the_map_goes_on(tab: Tab) -> None:
    """A page that is made anew each second must not take the keyboard away."""
    tab.script("document.querySelector('#map summary').click()")
    tab.script("document.querySelector('#controls button').focus()")
    before = tab.text("#map .sub")
    tab.until(lambda: tab.text("#map .sub") != before, "another walk")

    assert tab.script("return document.querySelector('#map details').open")
    assert tab.script("return document.activeElement.dataset.event") == "scale-out"


def test_keyboard_shows_where_it_is(tab: Tab) -> None:
    """The first stop is the way past the head."""
    tab.chrome.switch_to.active_element.send_keys(Keys.TAB)

    focused = "const one = document.activeElement; const style = getComputedStyle(one);"
    assert tab.script(f"{focused} return one.className") == "skip"
    assert tab.script(f"{focused} return style.outlineStyle + style.outlineWidth") == "solid2px"


def test_load_is_drawn(tab: Tab) -> None:
    tab.until(lambda: "acknowledged writes a second" in tab.text("#rates"), "a rate")
    tab.until(
        lambda: tab.script("return document.querySelectorAll('#chart .line').length"), "a line"
    )


def test_killed_node_s_row_breaks_and_recovers(tab: Tab, request: pytest.FixtureRequest) -> None:
    """By clicks alone: attribute, words, list and what a screen reader is told; then the node is back."""
    drawn = "return document.querySelector('#chart .line')?.points.length ?? 0"
    tab.until(lambda: tab.script(drawn) > POINTS, "a chart")
    tab.press("kill-proxy", "demo-0003-002")
    tab.until(lambda: "the HAProxy of demo-0003-002" in tab.text("#events"), "a dead HAProxy")
    button = tab.script(
        "return document.querySelector('button[data-event=kill-primary]').innerText"
    )
    node = button.split()[-1]
    assert tab.rows()[node] == ("ok", "✓ ok")

    # a later message takes the place of an earlier one
    tab.script(
        """window.spoken = [];
        const keep = () => window.spoken.push(document.querySelector("#spoken").innerText);
        new MutationObserver(keep).observe(document.body, {childList: true, characterData: true, subtree: true});"""
    )

    tab.press("kill-primary", node.split("-")[1])
    tab.until(lambda: tab.rows()[node] == ("broken", "✕ broken"), f"{node} to be broken")
    tab.until(lambda: "failover: " in tab.text("#events"), "its failover in the list")

    assert "broken" in tab.text("#map .hd")
    assert "Next: see the node in ElastiCache" in tab.text("#map")
    assert f"{node}: broken" in tab.text("#events")
    tab.until(
        lambda: any(f"{node}: broken" in one for one in tab.script("return window.spoken")),
        "what a screen reader is told of it",
    )
    assert "broken" in tab.chrome.title
    picture = tab.picture("fault")
    if request.config.getoption("--update-golden"):
        few = (
            Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE)
        )
        few.save(PICTURE, optimize=True)

    tab.press("restart-node", node)
    tab.until(lambda: tab.rows()[node] == ("ok", "✓ ok"), f"{node} to be well again")
    tab.until(lambda: f"restart-node {node}: {node} is back" in tab.text("#events"), "the end")
    tab.until(lambda: all(row == ("ok", "✓ ok") for row in tab.rows().values()), "all to be well")


def test_refused_fault_says_why(tab: Tab) -> None:
    """A node that runs cannot be restarted: the lab's own words."""
    asked = """return fetch("/event", {method: "POST", headers: {"X-Nodeway-Token": token},
        body: JSON.stringify({event: "restart-node", about: "demo-0001-001"})}).then((it) => it.status)"""

    assert tab.script(asked) == 202
    tab.until(lambda: "restart-node demo-0001-001 could not be done" in tab.text("#events"), "why")


def test_other_origin_in_the_same_browser_cannot_press_a_button(tab: Tab, web: Web) -> None:
    """Not even with a token that it might have guessed: the header may not cross."""
    tab.chrome.get("data:text/html,<title>elsewhere</title>")
    asked = f"""return fetch("{web.address}event", {{method: "POST", headers: {{"X-Nodeway-Token": "x"}},
        body: "{{}}"}}).then((it) => it.status, (error) => "kept from it")"""

    assert tab.script(asked) == "kept from it"
    assert any("CORS" in one for one in tab.complaints())


@pytest.mark.usefixtures("tab")
def test_page_s_end_leaves_a_lab_that_was_up_as_it_was(web: Web) -> None:
    """Another page on the same lab: its own programs go, also when they have hardly begun."""
    before = count_page_programs()
    with start_page() as second:
        said = second.end(signal.SIGTERM)
    up = json.loads(nodeway("lab", "status", "--json").stdout)["up"]

    assert (second.process.returncode, up, web.process.poll()) == (0, True, None)
    assert said.splitlines()[-1] == "the page has ended: the lab is as it was"
    assert count_page_programs() == before


def count_page_programs() -> Counter[str]:
    """How many processes of each of the pages' programs there are."""
    programs = ("lab.web.agent", "lab.web.prober", "load-web")
    found = Counter(one for process in left_behind() for one in programs if one in process)
    assert set(found) == set(programs)
    return found


def test_picture_of_the_map_is_small() -> None:
    """It is in every clone; `pytest --update-golden` of this file makes it anew."""
    assert 20_000 < PICTURE.stat().st_size < MOST_BYTES


def test_port_without_a_page_is_a_mistake() -> None:
    done = nodeway("lab", "up", "--port", "8000")

    assert done.returncode == 2
    assert "--web" in done.stderr
