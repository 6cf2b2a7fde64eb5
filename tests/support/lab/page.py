"""The lab's page: the command that serves it, and the browser in which a test looks at it."""

import base64
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from lab.host import programs
from lab.layout import ROOT
from lab.wait import wait_until
from tests.support.lab.command import NODEWAY

PICTURES = ROOT / "build" / "web"
DESKTOP, PHONE = (1280, 900), (390, 844)
END_SECONDS = 90
NAMES = 7
"""Six nodes and the configuration endpoint."""


@dataclass(frozen=True, slots=True)
class Web:
    """A running `nodeway lab up --web`."""

    process: subprocess.Popen[str]
    address: str

    def end(self, number: signal.Signals) -> str:
        """Interrupts it, and gives its last words."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=END_SECONDS)
        return said


@contextmanager
def start_page() -> Iterator[Web]:
    """The command as a person starts it, until it says where the page is."""
    words = [NODEWAY, "lab", "up", "--web", "--port", "0"]
    with programs.running(
        words, grace_seconds=END_SECONDS, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert "the map is at http://127.0.0.1:" in said
        yield Web(process, said.split()[-1])


@dataclass(frozen=True, slots=True)
class Tab:
    """The page in a browser."""

    chrome: Chrome

    def open(self, address: str) -> None:
        """Loads it, and waits for a whole map."""
        self.chrome.get(address)
        self.until(lambda: len(self.rows()) >= NAMES, "a row for each name")

    def look(self, size: tuple[int, int], *, dark: bool) -> None:
        """As on a screen of this size and theme."""
        width, height = size
        mobile = size == PHONE
        metrics = {"width": width, "height": height, "mobile": mobile}
        self.cdp("Emulation.setDeviceMetricsOverride", **metrics, deviceScaleFactor=1 + mobile)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, name: str) -> bytes:
        """The whole page, also in build/web."""
        drawn = self.cdp("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        PICTURES.mkdir(parents=True, exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(drawn))
        return base64.b64decode(drawn)

    def rows(self) -> dict[str, tuple[str, str]]:
        """Each row's state, as attribute and as words."""
        script = """return [...document.querySelectorAll("#map tr[data-name]")].map(
            (row) => [row.dataset.name, row.dataset.state, row.querySelector("td.s b").textContent])"""
        return {name: (state, words) for name, state, words in self.script(script)}

    def press(self, event: str, about: str) -> None:
        """Clicks a button, once it is there."""
        button = f'#controls button[data-event="{event}"][data-about="{about}"]'
        self.until(lambda: self.chrome.find_elements(By.CSS_SELECTOR, button), f"{event} {about}")
        self.script("document.querySelector(arguments[0]).click()", button)

    def text(self, selector: str) -> str:
        """What stands there."""
        return str(self.script("return document.querySelector(arguments[0]).innerText", selector))

    def script(self, text: str, *arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Runs a script in the page."""
        return self.chrome.execute_script(text, *arguments)

    def cdp(self, command: str, **parameters: object) -> dict[str, Any]:
        """The browser's own protocol."""
        return dict(self.chrome.execute_cdp_cmd(command, parameters))

    def until(self, check: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Waits for the page to show something."""
        wait_until(check, timeout_seconds=seconds, what=what)

    def complaints(self) -> list[str]:
        """What its console says."""
        lines: list[dict[str, str]] = self.chrome.get_log("browser")  # type: ignore[no-untyped-call]
        return [line["message"] for line in lines]
