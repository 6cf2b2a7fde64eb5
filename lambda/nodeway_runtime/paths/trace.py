"""Traces of names: what the probe met on the way to a node, without a judgement. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from nodeway_runtime.paths.cluster_view import NodeReply


class Phase(StrEnum):
    """The phases of a path, in their order."""

    NONE = "nothing"
    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    ANSWER = "answer"
    IDENTITY = "identity"


class Failure(StrEnum):
    """Why a trace ended, in the order of the phases."""

    NONE = "none"
    NO_SUCH_NAME = "no_such_name"
    RESOLVER_SILENT = "resolver_silent"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TLS_CLOSED = "tls_closed"
    TLS_SILENT = "tls_silent"
    EXPIRED = "expired"
    OTHER_NAME = "other_name"
    UNTRUSTED = "untrusted"
    CLOSED = "closed"
    SILENT = "silent"
    NOT_READY = "not_ready"
    BAD_LOGIN = "bad_login"
    NO_PERMISSION = "no_permission"


@dataclass(slots=True)
class AddressTrace:
    """The trace of one address.

    `reached`: the last phase that succeeded. `detail`: the words of the error. `milliseconds`: duration of each phase
    that succeeded. `certificate_names`: names in a certificate that is for other names. `certificate_days`: days until
    the certificate expires.
    """

    address: str
    reached: Phase = Phase.NONE
    failure: Failure = Failure.NONE
    detail: str = ""
    milliseconds: dict[Phase, float] = field(default_factory=dict)
    certificate_names: tuple[str, ...] = ()
    certificate_days: float | None = None
    reply: NodeReply = field(default_factory=NodeReply)


@dataclass(frozen=True, slots=True)
class NameTrace:
    """The trace of one name: those of its addresses, or why it has none."""

    name: str
    traces: tuple[AddressTrace, ...] = ()
    failure: Failure = Failure.NONE
    detail: str = ""
    resolve_milliseconds: float | None = None
