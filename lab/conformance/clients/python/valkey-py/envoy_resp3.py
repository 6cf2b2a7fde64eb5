"""valkey-py as a client of one server, which is Envoy: without `protocol=3` a RESP3 listener refuses it."""

import os
from typing import Any

from valkey import Valkey


def connect(**options: Any) -> Valkey:
    return Valkey(
        host=os.environ["LAB_ENDPOINT"],
        port=int(os.environ["LAB_PORT"]),
        username=os.environ["LAB_USERNAME"],
        password=os.environ["LAB_PASSWORD"],
        ssl=True,
        ssl_check_hostname=True,  # off by default: any name's certificate of the CA would do
        ssl_ca_certs=os.environ["LAB_CA_FILE"],
        protocol=3,
        socket_connect_timeout=4,
        socket_timeout=2,
        decode_responses=True,
        **options,
    )
