"""What a walk met on its way: the values between the walk and its judge. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from nodeway_runtime.paths.cluster_view import NodeReply


class Failure(StrEnum):
    """What a walk met, in the order of the legs."""

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
    """One address. `reached`: the last leg that went well; `certificate_names`: of a certificate for other names."""

    address: str
    reached: str = "nothing"
    failure: Failure = Failure.NONE
    detail: str = ""
    milliseconds: dict[str, float] = field(default_factory=dict)
    certificate_names: tuple[str, ...] = ()
    certificate_days: float | None = None
    reply: NodeReply = field(default_factory=NodeReply)


@dataclass(frozen=True, slots=True)
class NameTrace:
    """One name: its addresses' walks, or why it has none."""

    name: str
    traces: tuple[AddressTrace, ...] = ()
    failure: Failure = Failure.NONE
    detail: str = ""
    resolve_milliseconds: float | None = None
