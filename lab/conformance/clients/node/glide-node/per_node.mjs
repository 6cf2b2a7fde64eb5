// Valkey GLIDE as a cluster client: it finds the nodes, and connects to each by its own name.
import { readFileSync } from 'node:fs';
import { GlideClusterClient } from '@valkey/valkey-glide';

export function connect(options = {}) {
  const { LAB_ENDPOINT, LAB_PORT, LAB_USERNAME, LAB_PASSWORD, LAB_CA_FILE } = process.env;
  return GlideClusterClient.createClient({
    addresses: [{ host: LAB_ENDPOINT, port: Number(LAB_PORT) }],
    credentials: { username: LAB_USERNAME, password: LAB_PASSWORD },
    useTLS: true,
    requestTimeout: 2000,
    advancedConfiguration: {
      connectionTimeout: 4000,
      // on AWS: leave it out, the system's store has the CA
      tlsAdvancedConfiguration: { rootCertificates: readFileSync(LAB_CA_FILE) },
    },
    ...options,
  });
}
