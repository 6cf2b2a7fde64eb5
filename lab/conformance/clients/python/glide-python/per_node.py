"""Valkey GLIDE as a cluster client: it finds the nodes, and connects to each by its own name."""

import os
from pathlib import Path
from typing import Any

from glide_sync import (
    AdvancedGlideClusterClientConfiguration,
    GlideClusterClient,
    GlideClusterClientConfiguration,
    NodeAddress,
    ServerCredentials,
    TlsAdvancedConfiguration,
)


def connect(**options: Any) -> GlideClusterClient:
    # on AWS: leave tls_config out, the system's store has the CA
    tls = TlsAdvancedConfiguration(root_pem_cacerts=Path(os.environ["LAB_CA_FILE"]).read_bytes())
    configuration = GlideClusterClientConfiguration(
        addresses=[NodeAddress(os.environ["LAB_ENDPOINT"], int(os.environ["LAB_PORT"]))],
        credentials=ServerCredentials(
            username=os.environ["LAB_USERNAME"], password=os.environ["LAB_PASSWORD"]
        ),
        use_tls=True,
        request_timeout=2000,
        advanced_config=AdvancedGlideClusterClientConfiguration(
            connection_timeout=4000, tls_config=tls
        ),
        **options,
    )
    return GlideClusterClient.create(configuration)
