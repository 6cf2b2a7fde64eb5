// node-redis as a cluster client: it finds the nodes, and connects to each by its own name.
import { readFileSync } from 'node:fs';
import { createCluster } from 'redis';

export async function connect(options = {}, onError = ({ message }) => console.error(message)) {
  const { LAB_ENDPOINT, LAB_PORT, LAB_USERNAME, LAB_PASSWORD, LAB_CA_FILE } = process.env;
  const cluster = createCluster({
    rootNodes: [{ socket: { host: LAB_ENDPOINT, port: Number(LAB_PORT) } }],
    defaults: {
      username: LAB_USERNAME,
      password: LAB_PASSWORD,
      socket: {
        tls: true,
        ca: readFileSync(LAB_CA_FILE), // on AWS: leave it out, Node has the CA
        connectTimeout: 4000,
        socketTimeout: 3000,
      },
      pingInterval: 1000, // else an idle connection is closed after socketTimeout
    },
    commandOptions: { timeout: 2000 },
    ...options,
  });
  cluster.on('error', onError);
  return cluster.connect();
}
