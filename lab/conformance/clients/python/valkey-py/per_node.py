"""valkey-py as a cluster client: it finds the nodes, and connects to each by its own name."""

import os
from typing import Any

from valkey.cluster import ValkeyCluster


def connect(**options: Any) -> ValkeyCluster:
    return ValkeyCluster(
        host=os.environ["LAB_ENDPOINT"],
        port=int(os.environ["LAB_PORT"]),
        username=os.environ["LAB_USERNAME"],
        password=os.environ["LAB_PASSWORD"],
        ssl=True,
        ssl_check_hostname=True,  # off by default: any name's certificate of the CA would do
        ssl_ca_certs=os.environ[
            "LAB_CA_FILE"
        ],  # on AWS: leave it out, the system's store has the CA
        socket_connect_timeout=4,
        socket_timeout=2,
        decode_responses=True,
        **options,
    )
