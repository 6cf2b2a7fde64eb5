"""Valkey GLIDE as a client of one server, which is Envoy: STATIC, as it has no INFO REPLICATION."""

import os
from pathlib import Path
from typing import Any

from glide_sync import (
    AdvancedGlideClientConfiguration,
    GlideClient,
    GlideClientConfiguration,
    NodeAddress,
    NodeDiscoveryMode,
    ProtocolVersion,
    ServerCredentials,
    TlsAdvancedConfiguration,
)


def connect(**options: Any) -> GlideClient:
    resp2 = os.environ["LAB_WAY"] == "envoy-resp2"
    tls = TlsAdvancedConfiguration(root_pem_cacerts=Path(os.environ["LAB_CA_FILE"]).read_bytes())
    configuration = GlideClientConfiguration(
        addresses=[NodeAddress(os.environ["LAB_ENDPOINT"], int(os.environ["LAB_PORT"]))],
        credentials=ServerCredentials(
            username=os.environ["LAB_USERNAME"], password=os.environ["LAB_PASSWORD"]
        ),
        use_tls=True,
        protocol=ProtocolVersion.RESP2 if resp2 else ProtocolVersion.RESP3,  # RESP3 is the default
        node_discovery_mode=NodeDiscoveryMode.STATIC,
        request_timeout=2000,
        advanced_config=AdvancedGlideClientConfiguration(connection_timeout=4000, tls_config=tls),
        **options,
    )
    return GlideClient.create(configuration)
