// `node check.mjs CLIENT MODE`: the conformance program of the Node clients. Modes: commands, connect, load.
// It opens the client with the snippet of its directory for the way LAB_WAY, the one that docs/clients.md shows, and prints
// lines of JSON.
import { Behaviours } from './behaviours.mjs';
import { Glide } from './glide.mjs';
import { Ioredis } from './ioredis.mjs';
import { Keys } from './keys.mjs';
import { load } from './load.mjs';
import { NodeRedis } from './node_redis.mjs';
import { describe, report } from './outcome.mjs';

const CLIENTS = { ioredis: Ioredis, iovalkey: Ioredis, 'node-redis': NodeRedis, 'glide-node': Glide };

const COMMANDS = {
  all_slots: 'allSlots',
  pipeline_500: 'pipeline500',
  multi_exec: 'multiExec',
  evalsha: 'evalsha',
  pubsub: 'pubsub',
  blpop: 'blpop',
  scan: 'scan',
  replica_read: 'replicaRead',
};

// Some clients say in `error` events why they cannot connect, and not in what they throw, if they ever do.
let lastEvent;
async function connectOrExplain(options) {
  const onError = (error) => {
    lastEvent = error;
    console.error(describe(error));
  };
  try {
    return await snippet.connect(options, onError);
  } catch (error) {
    error.cause ??= lastEvent;
    throw error;
  }
}

function attempt(behaviour, run) {
  lastEvent = undefined;
  return report(behaviour, run, () => lastEvent);
}

const [name, mode] = process.argv.slice(2);
const { LAB_WAY, LAB_SLOT_KEYS } = process.env;
const byEnvoy = LAB_WAY.startsWith('envoy');
const snippet = await import(`../${name}/${byEnvoy ? 'envoy' : 'per_node'}.mjs`);
const keys = new Keys(name, LAB_SLOT_KEYS);
const behaviours = new Behaviours(CLIENTS[name], connectOrExplain, keys, !byEnvoy);

if (mode === 'commands') {
  for (const [behaviour, method] of Object.entries(COMMANDS)) {
    await attempt(behaviour, async () => behaviours[method]());
  }
} else if (mode === 'connect') {
  await attempt('connect', async () => behaviours.setAndGet());
} else if (mode === 'load') {
  await load(connectOrExplain, keys);
} else {
  throw new Error(`mode: got ${mode}; allowed: commands, connect, load`);
}
process.exit(); // a client that did not answer in time may still be waiting
