"""A walk: from a name to the node that answers, leg by leg, as a client goes, with the time of each leg.

It states what it met and judges nothing (nodeway_runtime.paths.diagnose). It sends a node nothing but PING, and with
credentials AUTH,
CLUSTER and INFO. A name is only looked up in the caller's own resolver.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from nodeway_runtime.paths.trace import AddressTrace, Failure, NameTrace
from nodeway_runtime.probe.commands import ping, read_identity
from nodeway_runtime.probe.resp import Conversation, ErrorReply

NOT_READY = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "TRYAGAIN")
TOO_MANY_CLIENTS = "max number of clients"
"""In the words of a node that takes no more; their code is only ERR."""
HINT = 8
"""Of a password: so many of its first characters give it away."""
EXPIRED, NOT_YET_VALID, OTHER_NAME = 10, 9, 62
"""OpenSSL's X509_V_ERR_*: https://docs.openssl.org/3.5/man3/X509_STORE_CTX_get_error/."""


@dataclass(frozen=True, slots=True)
class Login:
    """Whom the probe logs in as; it is never shown."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a leg may take. A path in order takes milliseconds; a client gives up after a few seconds, too."""

    connect: float = 3
    tls: float = 5
    answer: float = 3


LookUp = Callable[[str, int, int, int], "list[Any]"]


@dataclass(frozen=True, slots=True)
class Walker:
    """How to walk: to which port, trusting whom, logged in as whom (None: nobody), asking which resolver."""

    port: int
    context: ssl.SSLContext
    nameless: ssl.SSLContext
    """Trusts the same authorities, whatever the name: to see whose certificate it is that has another."""
    login: Login | None = None
    seconds: Timeouts = Timeouts()
    look_up: LookUp = field(default=socket.getaddrinfo, repr=False)

    @staticmethod
    def of(port: int, *, ca_file: str | None = None, login: Login | None = None) -> "Walker":
        """One that trusts a file's authorities, else the system's; raises OSError (ssl.SSLError too) for a bad file."""
        nameless = ssl.create_default_context(cafile=ca_file)
        nameless.check_hostname = False
        return Walker(port, ssl.create_default_context(cafile=ca_file), nameless, login)

    def trace(self, name: str, *, view: bool) -> NameTrace:
        """All addresses of a name; `view`: with what the nodes there say of the whole cluster."""
        began = time.perf_counter()
        try:
            found = self.look_up(name, self.port, socket.AF_INET, socket.SOCK_STREAM)
        except socket.gaierror as error:
            missing = error.errno in {socket.EAI_NONAME, socket.EAI_NODATA}
            trouble = Failure.NO_SUCH_NAME if missing else Failure.RESOLVER_SILENT
            return NameTrace(name, (), trouble, str(error.strerror), _milliseconds_since(began))
        resolved = _milliseconds_since(began)
        addresses = sorted({str(one[4][0]) for one in found})
        walks = tuple(self._one(name, one, view=view) for one in addresses)
        return NameTrace(name, walks, resolve_milliseconds=resolved)

    def _one(self, name: str, address: str, *, view: bool) -> AddressTrace:
        walk = AddressTrace(address)
        with (
            suppress(_PhaseFailed),
            self._connected(walk) as plain,
            self._secured(walk, plain, name) as secured,
        ):
            self._talk(walk, secured, view=view)
        if walk.failure is Failure.OTHER_NAME:
            walk.certificate_names = self._names_at(address, name)
        if self.login:
            walk.detail = redact(self.login.password, walk.detail)
        return walk

    @contextmanager
    def _connected(self, walk: AddressTrace) -> Iterator[socket.socket]:
        with _phase(
            walk,
            "connect",
            {
                ConnectionRefusedError: Failure.REFUSED,
                OSError: Failure.UNREACHABLE,
            },
        ):
            plain = socket.create_connection(
                (walk.address, self.port), timeout=self.seconds.connect
            )
        with plain:
            yield plain

    @contextmanager
    def _secured(
        self, walk: AddressTrace, plain: socket.socket, name: str
    ) -> Iterator[ssl.SSLSocket]:
        plain.settimeout(self.seconds.tls)
        with _phase(
            walk,
            "tls",
            {
                ssl.SSLCertVerificationError: _certificate_failure,
                TimeoutError: Failure.TLS_SILENT,
                OSError: Failure.TLS_CLOSED,
            },
        ):
            secured = self.context.wrap_socket(plain, server_hostname=name)
        with secured:
            until = (secured.getpeercert() or {}).get("notAfter")
            if isinstance(until, str):
                walk.certificate_days = (ssl.cert_time_to_seconds(until) - time.time()) / 86_400
            yield secured

    def _talk(self, walk: AddressTrace, secured: ssl.SSLSocket, *, view: bool) -> None:
        lost: Failures = {TimeoutError: Failure.SILENT, OSError: Failure.CLOSED}
        node = Conversation(secured, self.seconds.answer)
        with _phase(walk, "answer", {ErrorReply: _login_failure, **lost}):
            if self.login:
                node.ask("AUTH", self.login.username, self.login.password)
            ping(node, logged_in=self.login is not None)
        if self.login:
            with _phase(walk, "identity", {ErrorReply: _permission_failure, **lost}):
                walk.reply = read_identity(node, view=view)

    def _names_at(self, address: str, name: str) -> tuple[str, ...]:
        """Whose certificate it is that is for other names: its chain is verified still, and nothing is sent."""
        with (
            suppress(OSError),
            socket.create_connection((address, self.port), timeout=self.seconds.connect) as plain,
            self.nameless.wrap_socket(plain, server_hostname=name) as secured,
        ):
            names: Any = (secured.getpeercert() or {}).get("subjectAltName", ())
            return tuple(str(value) for kind, value in names if kind == "DNS")
        return ()


class _PhaseFailed(Exception):
    """A leg that did not go well; the walk knows what it met."""


Failures = dict[type[Exception], "Failure | Callable[[Exception], Failure]"]


@contextmanager
def _phase(walk: AddressTrace, name: str, troubles: Failures) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    except (OSError, ErrorReply) as error:
        kind = next(one for one in troubles if isinstance(error, one))
        trouble = troubles[kind]
        walk.failure = trouble(error) if callable(trouble) else trouble
        walk.detail = _describe_error(error)
        raise _PhaseFailed from error
    walk.reached = name
    walk.milliseconds[name] = _milliseconds_since(began)


def _certificate_failure(error: Exception) -> Failure:
    code = getattr(error, "verify_code", 0)
    if code in {EXPIRED, NOT_YET_VALID}:
        return Failure.EXPIRED
    return Failure.OTHER_NAME if code == OTHER_NAME else Failure.UNTRUSTED


def _login_failure(error: Exception) -> Failure:
    return Failure.BAD_LOGIN if _is_ready(error) else Failure.NOT_READY


def _permission_failure(error: Exception) -> Failure:
    return Failure.NO_PERMISSION if _is_ready(error) else Failure.NOT_READY


def _is_ready(error: Exception) -> bool:
    """Whether who refuses is ready to serve."""
    return str(error).partition(" ")[0] not in NOT_READY and TOO_MANY_CLIENTS not in str(error)


def redact(password: str, words: str) -> str:
    """Words without a password: who does not know AUTH repeats its arguments in the error, long ones in part."""
    at = words.find(password[:HINT]) if password else -1
    return words if at < 0 else f"{words[:at]}…"


CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError)


def _describe_error(error: Exception) -> str:
    """Who refused, in its own words: one line, and no more of it than a reader wants."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, CLOSED) and not isinstance(error, ConnectionRefusedError):
        return "the connection was closed"
    if isinstance(error, TimeoutError):
        return "timed out"
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    # OpenSSL's words end with a place in Python's own source; a node's own could steer a terminal
    words = " ".join(str(said).partition(" (_ssl.c:")[0].split())
    return "".join(one for one in words if one.isprintable())[:200]


def _milliseconds_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)
