"""What a program in the client's network gets: addresses of names, certificates, answers of nodes."""

import errno
import json
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lab import layout
from lab.cluster.node import USERNAME, ask
from lab.deployment.world import World
from lab.host import network
from lab.wait import wait_until

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 3.0
CLOSED = "closed"
REFUSED = "refused"
SILENT = "silent"
NO_ADDRESS = "no address"
VERIFIED = "verified"
UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT)
NO_SUCH_NAME = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))

T = TypeVar("T")


def from_client(work: Callable[[], T]) -> T:
    """Runs `work` in the client's network; threads that it starts are there, too."""
    return network.in_network("client", work)


def addresses(name: str) -> tuple[str, ...] | None:
    """The sorted addresses of a name; none for a name that does not exist, None when the resolver does not answer.

    For a caller in the client's network, as are all further functions.
    """
    try:
        found = socket.getaddrinfo(name, layout.PORT, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror as error:
        return () if error.errno in NO_SUCH_NAME else None
    return tuple(sorted({str(address[0]) for *_, address in found}))


def handshake(world: World, name: str) -> str:
    """The result of a verified TLS handshake: one of the constants above, or the error of the certificate."""
    try:
        _peer(world, name, name)
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)
    except ConnectionRefusedError:
        return REFUSED
    except socket.gaierror:
        return NO_ADDRESS
    except OSError as error:  # ssl.SSLError and TimeoutError are some
        silent = isinstance(error, TimeoutError) or error.errno in UNREACHABLE
        return SILENT if silent else CLOSED
    return VERIFIED


def wait_for_handshake(world: World, *names: str, result: str, timeout_seconds: float) -> None:
    """Waits until the handshake with each name has this result, from any network; raises LabError."""

    def all_have_it() -> bool:
        return all(handshake(world, name) == result for name in names)

    wait_until(
        lambda: from_client(all_have_it),
        timeout_seconds=timeout_seconds,
        what=f"the result {result!r} of a TLS handshake with {', '.join(names)}",
    )


def certificate_names(world: World, address: str) -> list[str]:
    """The names in the certificate that is served at an address; raises OSError."""
    names = _peer(world, address, None).get("subjectAltName", ())
    return [str(value) for _kind, value in names]


def connection(world: World, name: str) -> redis.Redis:
    """A connection to the node behind a name, with the client's own login and with verified TLS."""
    return redis.Redis(
        host=name,
        port=layout.PORT,
        username=USERNAME,
        password=password(world),
        ssl=True,
        ssl_ca_certs=str(world.run_dir / "ca.pem"),
        ssl_cert_reqs="required",
        ssl_check_hostname=True,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        decode_responses=True,
    )


def password(world: World) -> str:
    """The password of the lab's users."""
    login = json.loads((world.run_dir / "credentials.json").read_text())
    return str(login["password"])


def answer(world: World, name: str, *words: str) -> Any:
    """A node's answer to a command through its name; raises redis.RedisError."""
    with connection(world, name) as node:
        return ask(node, *words)


def answer_or_error(world: World, name: str, *words: str) -> str:
    """The same as text, or the text of the error."""
    try:
        return str(answer(world, name, *words))
    except redis.RedisError as error:
        return str(error) or repr(error)


def _peer(world: World, host: str, name: str | None) -> dict[str, Any]:
    """The certificate at `host`, verified for `name`, or without a name as of the authority only; raises OSError."""
    context = ssl.create_default_context(cafile=str(world.run_dir / "ca.pem"))
    context.check_hostname = name is not None
    with socket.create_connection((host, layout.PORT), timeout=CONNECT_SECONDS) as raw:
        raw.settimeout(ANSWER_SECONDS)
        with context.wrap_socket(raw, server_hostname=name or host) as connection:
            return dict(connection.getpeercert() or {})
