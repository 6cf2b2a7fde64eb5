// ioredis as a cluster client: it finds the nodes, and connects to each by its own name.
import { readFileSync } from 'node:fs';
import { Cluster } from 'ioredis';

export async function connect(options = {}, onError = ({ message }) => console.error(message)) {
  const { LAB_ENDPOINT, LAB_PORT, LAB_USERNAME, LAB_PASSWORD, LAB_CA_FILE } = process.env;
  const cluster = new Cluster([{ host: LAB_ENDPOINT, port: Number(LAB_PORT) }], {
    // else ioredis looks the endpoint up itself, and then verifies the certificate for an address
    dnsLookup: (name, callback) => callback(null, name),
    redisOptions: {
      username: LAB_USERNAME,
      password: LAB_PASSWORD,
      tls: { ca: readFileSync(LAB_CA_FILE) }, // on AWS: {}, Node has the CA
      connectTimeout: 4000,
      commandTimeout: 2000,
      socketTimeout: 3000,
    },
    lazyConnect: true,
    ...options,
  });
  cluster.on('error', onError);
  await cluster.connect();
  return cluster;
}
