"""Traces a name as a client would: look-up, connect, TLS, first answer, with the duration of each phase.

It makes no judgement (nodeway_runtime.paths.diagnose). Names are resolved by the system's resolver. A node gets
no command but PING, and with credentials AUTH, CLUSTER and INFO.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from nodeway_runtime.paths.trace import AddressTrace, Failure, NameTrace, Phase
from nodeway_runtime.probe.commands import ping, read_identity
from nodeway_runtime.probe.resp import Conversation, ErrorReply

NOT_READY = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "TRYAGAIN")
TOO_MANY_CLIENTS = "max number of clients"
"""In the text of the error, whose code is only ERR."""
REDACTED_PREFIX = 8
"""Text from this many first characters of a password on is removed."""
EXPIRED, NOT_YET_VALID, OTHER_NAME = 10, 9, 62
"""OpenSSL's X509_V_ERR_*: https://docs.openssl.org/3.5/man3/X509_STORE_CTX_get_error/."""


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials that the probe uses for the nodes."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of the phases in seconds, similar to those of clients."""

    connect: float = 3
    tls: float = 5
    answer: float = 3


LookUp = Callable[[str, int, int, int], "list[Any]"]


@dataclass(frozen=True, slots=True)
class Walker:
    """Traces names. `context`: TLS with the check of the host name. `login`: None to send no credentials.

    `nameless`: TLS that trusts the same authorities but accepts any name, to read the names in another's certificate.
    """

    port: int
    context: ssl.SSLContext
    nameless: ssl.SSLContext
    login: Login | None = None
    timeouts: Timeouts = Timeouts()
    look_up: LookUp = field(default=socket.getaddrinfo, repr=False)

    @staticmethod
    def of(port: int, *, ca_file: str | None = None, login: Login | None = None) -> "Walker":
        """A walker that trusts the authorities in `ca_file`, else the system's; raises OSError for a bad file."""
        nameless = ssl.create_default_context(cafile=ca_file)
        nameless.check_hostname = False
        return Walker(port, ssl.create_default_context(cafile=ca_file), nameless, login)

    def trace(self, name: str, *, view: bool) -> NameTrace:
        """The trace of a name, with all its addresses. `view`: also ask the nodes for their view of the cluster."""
        began = time.perf_counter()
        try:
            found = self.look_up(name, self.port, socket.AF_INET, socket.SOCK_STREAM)
        except socket.gaierror as error:
            missing = error.errno in {socket.EAI_NONAME, socket.EAI_NODATA}
            failure = Failure.NO_SUCH_NAME if missing else Failure.RESOLVER_SILENT
            return NameTrace(name, (), failure, str(error.strerror), _milliseconds_since(began))
        resolved = _milliseconds_since(began)
        addresses = sorted({str(one[4][0]) for one in found})
        traces = tuple(self._trace_address(name, one, view=view) for one in addresses)
        return NameTrace(name, traces, resolve_milliseconds=resolved)

    def _trace_address(self, name: str, address: str, *, view: bool) -> AddressTrace:
        trace = AddressTrace(address)
        with (
            suppress(_PhaseFailed),
            self._connected(trace) as plain,
            self._secured(trace, plain, name) as secured,
        ):
            self._talk(trace, secured, view=view)
        if trace.failure is Failure.OTHER_NAME:
            trace.certificate_names = self._names_at(address, name)
        if self.login:
            trace.detail = redact(self.login.password, trace.detail)
        return trace

    @contextmanager
    def _connected(self, trace: AddressTrace) -> Iterator[socket.socket]:
        with _phase(
            trace,
            Phase.CONNECT,
            {
                ConnectionRefusedError: Failure.REFUSED,
                OSError: Failure.UNREACHABLE,
            },
        ):
            plain = socket.create_connection(
                (trace.address, self.port), timeout=self.timeouts.connect
            )
        with plain:
            yield plain

    @contextmanager
    def _secured(
        self, trace: AddressTrace, plain: socket.socket, name: str
    ) -> Iterator[ssl.SSLSocket]:
        plain.settimeout(self.timeouts.tls)
        with _phase(
            trace,
            Phase.TLS,
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
                trace.certificate_days = (ssl.cert_time_to_seconds(until) - time.time()) / 86_400
            yield secured

    def _talk(self, trace: AddressTrace, secured: ssl.SSLSocket, *, view: bool) -> None:
        lost: Failures = {TimeoutError: Failure.SILENT, OSError: Failure.CLOSED}
        node = Conversation(secured, self.timeouts.answer)
        with _phase(trace, Phase.ANSWER, {ErrorReply: _login_failure, **lost}):
            if self.login:
                node.ask("AUTH", self.login.username, self.login.password)
            ping(node, logged_in=self.login is not None)
        if self.login:
            with _phase(trace, Phase.IDENTITY, {ErrorReply: _permission_failure, **lost}):
                trace.reply = read_identity(node, view=view)

    def _names_at(self, address: str, name: str) -> tuple[str, ...]:
        """The DNS names in a certificate that is for other names. Its chain is verified; no command is sent."""
        with (
            suppress(OSError),
            socket.create_connection((address, self.port), timeout=self.timeouts.connect) as plain,
            self.nameless.wrap_socket(plain, server_hostname=name) as secured,
        ):
            names: Any = (secured.getpeercert() or {}).get("subjectAltName", ())
            return tuple(str(value) for kind, value in names if kind == "DNS")
        return ()


class _PhaseFailed(Exception):
    """A phase failed; the trace has the reason."""


Failures = dict[type[Exception], "Failure | Callable[[Exception], Failure]"]


@contextmanager
def _phase(trace: AddressTrace, phase: Phase, failures: Failures) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    except (OSError, ErrorReply) as error:
        kind = next(one for one in failures if isinstance(error, one))
        failure = failures[kind]
        trace.failure = failure(error) if callable(failure) else failure
        trace.detail = _describe_error(error)
        raise _PhaseFailed from error
    trace.reached = phase
    trace.milliseconds[phase] = _milliseconds_since(began)


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
    """Whether the error is from a node that serves commands."""
    return str(error).partition(" ")[0] not in NOT_READY and TOO_MANY_CLIENTS not in str(error)


def redact(password: str, words: str) -> str:
    """The text up to the beginning of the password. A server without AUTH repeats its arguments in the error."""
    at = words.find(password[:REDACTED_PREFIX]) if password else -1
    return words if at < 0 else f"{words[:at]}…"


CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError)


def _describe_error(error: Exception) -> str:
    """The text of an error on one line, without control characters, at most 200 characters."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, CLOSED) and not isinstance(error, ConnectionRefusedError):
        return "the connection was closed"
    if isinstance(error, TimeoutError):
        return "timed out"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    # OpenSSL's text ends with a place in Python's source. A node's text may contain terminal control codes.
    words = " ".join(str(text).partition(" (_ssl.c:")[0].split())
    return "".join(one for one in words if one.isprintable())[:200]


def _milliseconds_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)
