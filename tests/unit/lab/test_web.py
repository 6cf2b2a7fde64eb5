"""The lab's page as a server: whom it answers, which buttons it believes, and what it tells."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
from typer.testing import CliRunner

from lab.errors import LabError
from lab.web.live import Live
from lab.web.server import HERE, Site, open_server, serving
from nodeway.cli.main import app
from nodeway_runtime.paths.report import to_document
from nodeway_runtime.paths.verdicts import Verdict
from tests.support.pages.html_page import Page
from tests.support.reports import report, row


@dataclass
class Browser:
    """One that may lie about everything."""

    site: Site
    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)

    def get(self, path: str = "/", **headers: str) -> HTTPResponse:
        """Looks at something."""
        return self._send("GET", path, None, headers)

    def press(self, event: object = "kill-proxy", about: object = "", **more: str) -> HTTPResponse:
        """Presses a button, as the page's script does."""
        body = json.dumps({"event": event, "about": about})
        return self.post(body, **{"X-Nodeway-Token": self.site.token, **more})

    def post(self, body: str, *, path: str = "/event", **headers: str) -> HTTPResponse:
        """Sends something."""
        return self._send("POST", path, body, headers)

    def _send(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, headers)
        return connection.getresponse()

    def frame(self) -> dict[str, Any]:
        """The next frame of the stream."""
        line = self.get("/live").readline()
        told: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
        return told


@pytest.fixture
def browser() -> Iterator[Browser]:
    asked: list[tuple[str, str]] = []
    site = Site(Live(), lambda event, about: asked.append((event, about)))
    server = open_server(site, 0)
    with serving(server):
        yield Browser(site, server.server_address[1], asked)
        site.live.end("the test is over")


def test_page_is_served_on_the_loopback_only() -> None:
    with open_server(Site(Live(), lambda *_: None), 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_port_in_use_is_said_in_one_line(browser: Browser) -> None:
    with pytest.raises(LabError, match="choose one with --port"):
        open_server(browser.site, browser.port)


def test_page_comes_with_headers_that_keep_others_out(browser: Browser) -> None:
    answer = browser.get()
    policy = answer.headers["Content-Security-Policy"]

    assert answer.status == 200
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_page_names_no_other_address(browser: Browser) -> None:
    """Neither the page nor its script and style."""
    for path in ("/", "/app.js", "/style.css"):
        text = browser.get(path).read().decode()
        assert "https://" not in text
        assert text.replace("http://www.w3.org/2000/svg", "").count("http://") == 0


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "[::1]:1", ""])
def test_other_names_get_nothing(browser: Browser, host: str) -> None:
    """A name of another site that leads to 127.0.0.1 (DNS rebinding)."""
    for path in ("/", "/live", "/app.js"):
        assert browser.get(path, Host=host).status == 421
    assert browser.press(Host=host).status == 421
    assert browser.asked == []


def test_localhost_is_a_name_of_ours(browser: Browser) -> None:
    assert browser.get(Host=f"LocalHost:{browser.port}").status == 200


@pytest.mark.parametrize("path", ["/../server.py", "/index.html", "/app.js?x", "/favicon.ico"])
def test_nothing_else_is_served(browser: Browser, path: str) -> None:
    assert browser.get(path).status == 404


def test_button_of_the_page_asks_for_an_event(browser: Browser) -> None:
    answer = browser.press("kill-proxy", "demo-0001-001", Origin=f"http://127.0.0.1:{browser.port}")

    assert (answer.status, answer.read()) == (202, b"kill-proxy demo-0001-001: asked for")
    assert browser.asked == [("kill-proxy", "demo-0001-001")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Nodeway-Token": ""},
        {"X-Nodeway-Token": "guessed"},
        {"X-Nodeway-Token": "g\u00fcessed"},
    ],
)
def test_button_without_the_page_s_token_does_nothing(
    browser: Browser, headers: dict[str, str]
) -> None:
    answer = browser.post('{"event": "kill-proxy", "about": "demo-0001-001"}', **headers)

    assert answer.status == 403
    assert browser.asked == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_button_on_another_site_does_nothing(browser: Browser, origin: str) -> None:
    assert browser.press(Origin=origin).status == 403
    assert browser.asked == []


@pytest.mark.parametrize("about", ["; rm", "../..", "a" * 64, 7, None, ["demo"], "Ä"])
def test_event_is_about_a_word(browser: Browser, about: object) -> None:
    assert browser.press("kill-proxy", about).status == 400
    assert browser.asked == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        *((body, b"not an object") for body in ("", "[]", "{", '{"event": "resync"}', "null", "7")),
        ("x" * 2_000, b"at most"),
        ('{"event": "rm", "about": ""}', b"kill-primary"),
    ],
)
def test_button_that_asks_for_no_event_is_refused(browser: Browser, body: str, said: bytes) -> None:
    answer = browser.post(body, **{"X-Nodeway-Token": browser.site.token})

    assert answer.status == 400
    assert said in answer.read()


def test_same_event_goes_on_once(browser: Browser) -> None:
    """Until it has ended; another one may go on beside it."""
    first = [browser.press("scale-out").status, browser.press("scale-out").status]
    other = browser.press("resync").status
    browser.site.live.receive(
        {"kind": "fault", "event": "scale-out", "about": "", "ok": True, "text": "done"}
    )

    assert (first, other) == ([202, 409], 202)
    assert browser.press("scale-out").status == 202


def test_frame_has_the_map_the_buttons_and_what_happened(browser: Browser) -> None:
    live = browser.site.live
    before = browser.frame()
    live.receive({"kind": "report", "report": to_document(report())})
    live.receive({"kind": "load", "acknowledged": 100, "errors": 0})
    live.receive({"kind": "load", "acknowledged": 220, "errors": 3})
    bad = row("demo-0001-001", Verdict.NODE_DOWN)
    rows = (bad, *report().rows[2:])
    live.receive({"kind": "report", "report": to_document(replace(report(), rows=rows))})
    after = browser.frame()

    assert before["map"] == ""
    assert "broken" in after["title"]
    assert "demo-0001-001: broken, node_down" in Page(after["events"]).words
    assert len(after["points"]) == 1
    assert after["points"][0][1] > 0
    buttons = [
        (one["data-event"], one["data-about"]) for one in Page(after["controls"]).all("button")
    ]
    assert ("restart-node", "demo-0001-001") in buttons
    assert ("kill-primary", "0002") in buttons
    assert buttons[:2] == [("scale-out", ""), ("resync", "")]


def test_event_that_goes_on_shows_at_its_button(browser: Browser) -> None:
    live = browser.site.live
    live.receive({"kind": "report", "report": to_document(report())})
    browser.press("kill-proxy", "demo-0001-001")
    waiting = [
        one["data-about"]
        for one in Page(browser.frame()["controls"]).all("button")
        if "aria-disabled" in one
    ]

    assert waiting == ["demo-0001-001"]


def test_end_is_told_and_ends_the_stream(browser: Browser) -> None:
    told: list[str] = []

    def listen() -> None:
        told.extend(line.decode() for line in browser.get("/live"))

    listening = threading.Thread(target=listen)
    listening.start()
    browser.site.live.end("The lab has ended.")
    listening.join(10)

    assert json.loads(told[-2].removeprefix("data: "))["ended"] == "The lab has ended."


def test_page_s_files_say_what_they_need() -> None:
    """Landmarks, a language, live regions, and a way past the head for those who have no mouse."""
    found = Page((HERE / "index.html").read_text())

    assert found.all("html") == [{"lang": "en"}]
    assert all(found.all(tag) for tag in ("header", "main", "h1"))
    assert all("aria-labelledby" in one for one in found.all("section"))
    assert [one["id"] for _, one in found.found if one.get("role") == "status"] == ["link", "said"]
    assert found.all("a") == [{"class": "skip", "href": "#map"}]
    assert all(one.get("src", "/").startswith("/") for one in found.all("script"))


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_port_that_is_none_is_one_error_and_starts_nothing(port: str) -> None:
    done = CliRunner().invoke(app, ["lab", "up", "--web", "--port", port])

    assert done.exit_code == 2
    assert "Invalid value for '--port'" in done.output
