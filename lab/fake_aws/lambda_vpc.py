"""Functions in a VPC: they run in the client VPC's network, with its resolver, and without a route to AWS endpoints.

The exception is an interface endpoint of Secrets Manager, which users need who give the probe a secret
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/vpc-endpoint-overview.html).
"""

import shlex
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

from lab import layout
from lab.host import network

SERVICE = b"secretsmanager."
HEADER = b"x-amz-target: "
LONGEST_HEAD = 16_384

_spawning = threading.local()


def install(run_dir: Path) -> None:
    """Patch ministack's workers, and serve the endpoint; the networks must exist."""
    spawn, detect = lambda_runtime.Worker._spawn, lambda_runtime._detect_runtime_binary
    python = run_dir / "aws" / "python-in-client-vpc"
    python.parent.mkdir(parents=True, exist_ok=True)
    words = network.inside("client", directory=Path("/tmp"))  # noqa: S108 (the worker moves on to its code)
    words += [f"SSL_CERT_FILE={run_dir / 'ca.pem'}", sys.executable]
    python.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    python.chmod(0o755)

    def spawn_in_vpc(worker: Any, *arguments: Any, **options: Any) -> Any:
        _spawning.in_vpc = in_client_vpc(worker.config.get("VpcConfig"))
        try:
            return spawn(worker, *arguments, **options)
        finally:
            _spawning.in_vpc = False

    def binary_in_vpc(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(python) if getattr(_spawning, "in_vpc", False) else binary), script

    lambda_runtime.Worker._spawn = spawn_in_vpc
    lambda_runtime._detect_runtime_binary = binary_in_vpc
    listener = network.in_network(
        "client", lambda: socket.create_server(("127.0.0.1", layout.AWS_PORT))
    )
    threading.Thread(target=_serve, args=(listener,), daemon=True, name="vpc-endpoint").start()


def in_client_vpc(vpc: Mapping[str, Any] | None) -> bool:
    """Whether a function is in the client VPC; raises RuntimeError for any other VPC."""
    subnets = set((vpc or {}).get("SubnetIds") or ())
    if subnets and subnets != {layout.CLIENT_SUBNET}:
        raise RuntimeError(
            f"the lab has functions in {layout.CLIENT_SUBNET} only, not in {subnets}"
        )
    return bool(subnets)


def _serve(listener: socket.socket) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_pass_on, args=(client,), daemon=True).start()


def _pass_on(client: socket.socket) -> None:
    """Pass one request on to Secrets Manager; requests to other services are dropped."""
    with client:
        client.settimeout(10)
        head = b""
        while b"\r\n\r\n" not in head and len(head) < LONGEST_HEAD:
            if not (more := client.recv(4096)):
                return
            head += more
        if HEADER + SERVICE not in head.lower():
            return
        with socket.create_connection(("127.0.0.1", layout.AWS_PORT), timeout=10) as service:
            service.sendall(head)
            answering = threading.Thread(target=_copy, args=(service, client), daemon=True)
            answering.start()
            _copy(client, service)
            answering.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(65_536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
