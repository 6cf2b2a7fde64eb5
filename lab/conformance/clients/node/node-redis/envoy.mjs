// node-redis as a client of one server, which is Envoy.
import { readFileSync } from 'node:fs';
import { createClient } from 'redis';

export async function connect(options = {}, onError = ({ message }) => console.error(message)) {
  const { LAB_ENDPOINT, LAB_PORT, LAB_USERNAME, LAB_PASSWORD, LAB_CA_FILE, LAB_WAY } = process.env;
  const client = createClient({
    RESP: LAB_WAY === 'envoy-resp2' ? 2 : 3, // 3 is the default
    username: LAB_USERNAME,
    password: LAB_PASSWORD,
    socket: {
      host: LAB_ENDPOINT,
      port: Number(LAB_PORT),
      tls: true,
      ca: readFileSync(LAB_CA_FILE),
      connectTimeout: 4000,
      socketTimeout: 3000,
    },
    pingInterval: 1000, // else an idle connection is closed after socketTimeout
    commandOptions: { timeout: 2000 },
    ...options,
  });
  client.on('error', onError);
  return client.connect();
}
