// Valkey GLIDE as a client of one server, which is Envoy: Static, as it has no INFO REPLICATION.
import { readFileSync } from 'node:fs';
import { GlideClient, NodeDiscoveryMode, ProtocolVersion } from '@valkey/valkey-glide';

export function connect(options = {}) {
  const { LAB_ENDPOINT, LAB_PORT, LAB_USERNAME, LAB_PASSWORD, LAB_CA_FILE, LAB_WAY } = process.env;
  return GlideClient.createClient({
    addresses: [{ host: LAB_ENDPOINT, port: Number(LAB_PORT) }],
    credentials: { username: LAB_USERNAME, password: LAB_PASSWORD },
    useTLS: true,
    protocol: LAB_WAY === 'envoy-resp2' ? ProtocolVersion.RESP2 : ProtocolVersion.RESP3, // RESP3 is the default
    nodeDiscoveryMode: NodeDiscoveryMode.Static,
    requestTimeout: 2000,
    advancedConfiguration: {
      connectionTimeout: 4000,
      tlsAdvancedConfiguration: { rootCertificates: readFileSync(LAB_CA_FILE) },
    },
    ...options,
  });
}
