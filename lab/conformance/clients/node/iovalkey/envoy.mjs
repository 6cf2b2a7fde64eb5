// iovalkey as a client of one server, which is Envoy: it speaks RESP2 only.
import { readFileSync } from 'node:fs';
import { Redis } from 'iovalkey';

export async function connect(options = {}, onError = ({ message }) => console.error(message)) {
  const { LAB_ENDPOINT, LAB_PORT, LAB_USERNAME, LAB_PASSWORD, LAB_CA_FILE } = process.env;
  const redis = new Redis({
    host: LAB_ENDPOINT,
    port: Number(LAB_PORT),
    username: LAB_USERNAME,
    password: LAB_PASSWORD,
    tls: { ca: readFileSync(LAB_CA_FILE) },
    connectTimeout: 4000,
    commandTimeout: 2000,
    socketTimeout: 3000,
    lazyConnect: true,
    ...options,
  });
  redis.on('error', onError);
  await redis.connect();
  return redis;
}
