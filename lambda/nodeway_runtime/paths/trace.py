"""What a walk met on its way: the values between the walk and its judge. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from nodeway_runtime.paths.cluster_view import Said


class Trouble(StrEnum):
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
class Walk:
    """One address. `reached`: the last leg that went well; `certificate_names`: of a certificate for other names."""

    address: str
    reached: str = "nothing"
    trouble: Trouble = Trouble.NONE
    detail: str = ""
    milliseconds: dict[str, float] = field(default_factory=dict)
    certificate_names: tuple[str, ...] = ()
    certificate_days: float | None = None
    said: Said = field(default_factory=Said)


@dataclass(frozen=True, slots=True)
class Walked:
    """One name: its addresses' walks, or why it has none."""

    name: str
    walks: tuple[Walk, ...] = ()
    trouble: Trouble = Trouble.NONE
    detail: str = ""
    resolve_milliseconds: float | None = None
