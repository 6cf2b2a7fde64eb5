// `node check.mjs CLIENT MODE`: the conformance program of the Node clients. Modes: commands, connect, load.
// It opens the client with the snippet of its directory for the way LAB_WAY, and prints lines of JSON.
// It must never know of proxies.
import { readFileSync } from 'node:fs';
import { Glide } from './glide.mjs';
import { Ioredis } from './ioredis.mjs';
import { Keys } from './keys.mjs';
import { load } from './load.mjs';
import { NodeRedis } from './node_redis.mjs';
import { report, told } from './outcome.mjs';

const CLIENTS = { ioredis: Ioredis, iovalkey: Ioredis, 'node-redis': NodeRedis, 'glide-node': Glide };

const BEHAVIOURS = {
  all_slots: 'allSlots',
  pipeline_500: 'pipeline500',
  multi_exec: 'multiExec',
  evalsha: 'evalsha',
  pubsub: 'pubsub',
  blpop: 'blpop',
  scan: 'scan',
  replica_read: 'replicaRead',
};

// What comes nearest to a way that cannot work, so that it is seen to fail.
const NEAREST = { shared: 'per-node', 'envoy-resp3': 'envoy-resp2' };

// The function `connect` of the very file that docs/clients.md shows.
async function snippet(name, way) {
  const directory = new URL(`../${name}/`, import.meta.url);
  const { snippets } = JSON.parse(readFileSync(new URL('client.json', directory), 'utf8'));
  return (await import(new URL(snippets[way] ?? snippets[NEAREST[way]], directory))).connect;
}

// Some clients say in `error` events why they cannot connect, and not in what they throw, if they ever do.
let lastEvent;
async function opened(connect, options) {
  const onError = (error) => {
    lastEvent = error;
    console.error(told(error));
  };
  try {
    return await connect(options, onError);
  } catch (error) {
    error.cause ??= lastEvent;
    throw error;
  }
}

function tried(behaviour, run) {
  lastEvent = undefined;
  return report(behaviour, run, () => lastEvent);
}

const [name, mode] = process.argv.slice(2);
const { LAB_WAY, LAB_SLOT_KEYS } = process.env;
const connect = await snippet(name, LAB_WAY);
const open = (options) => opened(connect, options);
const keys = new Keys(name, LAB_SLOT_KEYS);
const client = new CLIENTS[name](open, keys, !LAB_WAY.startsWith('envoy'));

if (mode === 'commands') {
  for (const [behaviour, method] of Object.entries(BEHAVIOURS)) {
    await tried(behaviour, async () => client[method]());
  }
} else if (mode === 'connect') {
  await tried('connect', async () => client.connect());
} else if (mode === 'load') {
  await load(open, keys);
} else {
  throw new Error(`mode: got ${mode}; allowed: commands, connect, load`);
}
process.exit(); // whatever a client that was given up may still be waiting for
