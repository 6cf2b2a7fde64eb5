"""A headless Chromium with its driver: the machine's own, else Debian's, unpacked in build/chromium without root.

Selenium is told where both are, so that it looks for nothing and fetches nothing.
"""

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from lab.conformance.clients import debian
from lab.layout import ROOT

HOME = ROOT / "build" / "chromium"
PACKAGES = ("chromium", "chromium-driver", "fonts-inter", "fonts-dejavu-core")
NAMES = ("chromium", "chromedriver")
PROBE = ("--no-sandbox", "--version")
FLAGS = (
    "--headless=new",
    # without root there is no helper for its walls; it opens our own page only
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir>{unpacked}/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{cache}</cachedir>
<alias><family>system-ui</family><prefer><family>Inter</family><family>DejaVu Sans</family></prefer></alias>
<alias><family>ui-monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the browser and its driver are."""

    browser: Path
    driver: Path


def programs() -> Programs:
    """Both of one version; raises SystemExit, with the reason, where this machine has none and can fetch none."""
    here = [shutil.which(name) for name in NAMES]
    for found in ([Path(one) for one in here if one], [HOME / name for name in NAMES]):
        if len(found) == len(NAMES) and all(debian.works(one, PROBE) for one in found):
            return Programs(*found)
    if shutil.which("apt-get") is None:
        raise SystemExit("no Chromium with chromedriver on PATH, and no Debian to take one from")
    unpacked = HOME / "debian"
    debian.unpack(PACKAGES, unpacked)
    (HOME / "fonts.conf").write_text(FONTS.format(unpacked=unpacked, cache=HOME / "fonts"))
    # the browser itself: Debian's script around it reads files of /etc
    places = (unpacked / "usr/lib/chromium/chromium", unpacked / "usr/bin/chromedriver")
    found = [write_wrapper(unpacked, *one) for one in zip(NAMES, places, strict=True)]
    for one in found:
        if not debian.works(one, PROBE):
            raise SystemExit(f"{one.name} does not run unpacked: install chromium-driver")
    return Programs(*found)


def write_wrapper(unpacked: Path, name: str, program: Path) -> Path:
    """A script that runs an unpacked program with its own libraries and fonts."""
    folders = sorted({str(found.parent) for found in (unpacked / "usr/lib").rglob("*.so*")})
    script = HOME / name
    script.write_text(
        f"#!/bin/sh\nexport LD_LIBRARY_PATH={shlex.quote(':'.join(folders))}"
        f" FONTCONFIG_FILE={shlex.quote(str(HOME / 'fonts.conf'))}\n"
        f'exec {shlex.quote(str(program))} "$@"\n'
    )
    script.chmod(0o755)
    return script


@contextmanager
def open_browser(found: Programs, profile: Path) -> Iterator[Chrome]:
    """A browser with a new profile in an empty directory; its console's lines are kept."""
    options = ChromeOptions()
    options.binary_location = str(found.browser)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = Service(str(found.driver), log_output=subprocess.DEVNULL)
    browser = Chrome(options, service)
    try:
        browser.set_page_load_timeout(30)
        browser.set_script_timeout(30)
        yield browser
    finally:
        browser.quit()
