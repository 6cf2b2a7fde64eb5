"""The page's HTTP server, on this machine's loopback only.

Requests need the loopback's Host, which a foreign name that resolves to 127.0.0.1 does not send. Events need the
page's token in a header, which another site's page neither knows nor may send.
"""

import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab.console.agent import EVENTS
from lab.errors import LabError
from lab.web.live import Live
from nodeway_runtime.html.style import STYLE

LOOPBACK = "127.0.0.1"
HERE = Path(__file__).resolve().parent
TOKEN_HEADER = "X-Nodeway-Token"
HTTP_PORT = 80
MOST_BYTES = 1_000
ABOUT = re.compile(r"[a-z0-9-]{0,63}")
ALIVE_SECONDS = 1.0
"""A frame at least so often: ages go on also when nothing is new."""
STALLED_SECONDS = 20
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Refused(Exception):
    """A request that is refused; the text says why."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        """With the HTTP status."""
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Site:
    """The state that is served, and the function that requests an event (its name and its argument)."""

    live: Live
    ask: Callable[[str, str], None]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server_version = "nodeway-lab"
    sys_version = ""
    timeout = STALLED_SECONDS

    def __init__(self, site: Site, *about: object) -> None:
        """Answer the request."""
        self.site = site
        super().__init__(*about)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """The page, its files, and the stream of frames."""
        with self._answering_refusals():
            self._check_host()
            if self.path == "/live":
                self._stream()
                return
            if self.path not in FILES:
                raise Refused(HTTPStatus.NOT_FOUND, "nothing here")
            name, kind = FILES[self.path]
            text = (HERE / name).read_text()
            if name == "index.html":
                text = text.replace("{style}", STYLE).replace("{token}", self.site.token)
            self._answer(HTTPStatus.OK, text, kind)

    def do_POST(self) -> None:
        """Request an event."""
        with self._answering_refusals():
            self._check_host()
            self._check_origin()
            if self.path != "/event":
                raise Refused(HTTPStatus.NOT_FOUND, "nothing here")
            event, about = self._read_event()
            if not self.site.live.start_event(event, about):
                raise Refused(HTTPStatus.CONFLICT, f"{event} {about}".strip() + " goes on already")
            self.site.ask(event, about)
            self._answer(HTTPStatus.ACCEPTED, f"{event} {about}".strip() + ": asked for")

    def log_message(self, *_: object) -> None:
        """No access log: the terminal shows the address and errors."""

    def _check_host(self) -> None:
        port = self.connection.getsockname()[1]
        ours = {f"{host}:{port}" for host in (LOOPBACK, "localhost")}
        if port == HTTP_PORT:
            ours |= {LOOPBACK, "localhost"}
        if self.headers.get("Host", "").lower() not in ours:
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "this server has another name")

    def _check_origin(self) -> None:
        """Refuse all but the page's own buttons."""
        origin = self.headers.get("Origin")
        token = self.headers.get(TOKEN_HEADER, "")
        known = hmac.compare_digest(token.encode(), self.site.token.encode())
        if not known or origin not in (None, f"http://{self.headers['Host']}"):
            raise Refused(HTTPStatus.FORBIDDEN, "only the page's own buttons work: load it again")

    def _read_event(self) -> tuple[str, str]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            raise Refused(HTTPStatus.BAD_REQUEST, f"the body has at most {MOST_BYTES} bytes")
        try:
            body = json.loads(self.rfile.read(int(length)))
            event, about = body["event"], body["about"]
        except (ValueError, KeyError, TypeError):
            raise Refused(HTTPStatus.BAD_REQUEST, "not an object with event and about") from None
        if event not in EVENTS:
            known = ", ".join(EVENTS)
            raise Refused(HTTPStatus.BAD_REQUEST, f"no event of that name; there are: {known}")
        if not isinstance(about, str) or not ABOUT.fullmatch(about):
            raise Refused(HTTPStatus.BAD_REQUEST, "about is a shard or a node, or empty")
        return event, about

    def _stream(self) -> None:
        """Send frames until the browser disconnects."""
        self._begin(HTTPStatus.OK, "text/event-stream")
        live, seen = self.site.live, -1
        while True:
            with live.change:
                live.change.wait_for(lambda: live.number != seen, ALIVE_SECONDS)  # noqa: B023
                seen = live.number
            frame = live.frame()
            self.wfile.write(f"data: {json.dumps(frame)}\n\n".encode())
            self.wfile.flush()
            if frame["ended"]:
                return

    @contextmanager
    def _answering_refusals(self) -> Iterator[None]:
        with suppress(ConnectionError, TimeoutError):  # a browser that has gone is no trouble
            try:
                yield
            except Refused as refused:
                self._answer(refused.status, str(refused))

    def _begin(self, status: HTTPStatus, kind: str, more: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **HEADERS, **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _answer(
        self, status: HTTPStatus, text: str, kind: str = "text/plain; charset=utf-8"
    ) -> None:
        body = text.encode()
        self._begin(status, kind, {"Content-Length": str(len(body))})
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Its threads do not keep the process alive."""

    daemon_threads = True


def open_server(site: Site, port: int) -> Server:
    """A bound server that does not serve yet; raises LabError for a port in use."""
    try:
        return Server((LOOPBACK, port), partial(Handler, site))
    except OSError as error:
        raise LabError(
            f"port {port} of {LOOPBACK}: {error.strerror}; choose one with --port"
        ) from error


@contextmanager
def serving(server: Server) -> Iterator[str]:
    """Serve for the time of the block; yields the address."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
