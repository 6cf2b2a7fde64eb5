// The behaviours that every Node client is asked for. An adapter (glide.mjs, ioredis.mjs, node_redis.mjs) does each step
// as the client's users do it.
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { SLOTS } from './keys.mjs';

const BATCH = 512;
const COMMANDS = 500;
const TRANSACTIONS = 60;
const REPLICA_READS = 20;
const REPLICATION_MILLISECONDS = 5000;
const SCRIPT = "return redis.call('GET', KEYS[1]) .. ARGV[1]";

// The client gave an answer, but not the right one.
class WrongAnswer extends Error {
  name = 'WrongAnswer';
}

// The answer as a text when it is as wanted.
function expect(got, wanted) {
  if (!isDeepStrictEqual(got, wanted)) {
    throw new WrongAnswer(`got ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
  }
  return String(got);
}

export class Behaviours {
  // `connect` is the snippet's function.
  constructor(Adapter, connect, keys, inClusterMode) {
    Object.assign(this, { Adapter, connect, keys, inClusterMode });
  }

  async open(options = {}) {
    return new this.Adapter(await this.connect(options), this.inClusterMode);
  }

  // A client of its own for each behaviour, so that no behaviour sees what another one left behind.
  async using(behaviour, options) {
    const client = await this.open(options);
    try {
      return await behaviour(client);
    } finally {
      client.close();
    }
  }

  pipelining() {
    return this.inClusterMode ? this.Adapter.clusterPipelines : {};
  }

  setAndGet() {
    return this.using(async (client) => {
      const [key, value] = [this.keys.any('connect'), randomUUID()];
      await client.set(key, value);
      return expect(await client.get(key), value);
    });
  }

  // A key in each slot.
  allSlots() {
    return this.using(async (client) => {
      for (let start = 0; start < SLOTS; start += BATCH) {
        const slots = Array.from({ length: BATCH }, (_, number) => start + number);
        await expectPairs(client, slots.map((slot) => [this.keys.at(slot, 'slot'), String(slot)]));
      }
      return `${SLOTS} slots`;
    }, this.pipelining());
  }

  // SET and GET in turn, in one pipeline over all nodes.
  pipeline500() {
    const pairs = this.keys.spread(COMMANDS / 2, 'pipeline').map((key, number) => [key, String(number)]);
    return this.using(async (client) => {
      await expectPairs(client, pairs);
      return `${COMMANDS} answers in order`;
    }, this.pipelining());
  }

  // Two keys in a slot, in many slots.
  multiExec() {
    return this.using(async (client) => {
      for (const key of this.keys.spread(TRANSACTIONS, 'multi')) {
        expect(await client.transaction(`${key}:a`, `${key}:b`), ['OK', 'OK', '1', '2']);
      }
      return `${TRANSACTIONS} transactions`;
    });
  }

  // In every shard, so that the script must have been loaded into each.
  evalsha() {
    return this.using(async (client) => {
      const script = await client.loadScript(SCRIPT);
      for (const key of this.keys.spread(TRANSACTIONS, 'script')) {
        await client.set(key, 'left');
        expect(await client.callScript(script, key, 'right'), 'leftright');
      }
      return `${TRANSACTIONS} scripts run`;
    });
  }

  // One client subscribes, another one publishes.
  pubsub() {
    const channel = this.keys.any(`channel:${randomUUID()}`);
    return this.using((publisher) =>
      this.using(async (subscriber) => {
        const nextMessage = await subscriber.subscribe(channel);
        await publisher.publish(channel, 'hello');
        return expect(await nextMessage(), 'hello');
      }),
    );
  }

  // An empty list first, then one with an item.
  blpop() {
    const key = this.keys.any(`list:${randomUUID()}`);
    return this.using(async (client) => {
      const started = performance.now();
      expect(await client.blpop(key, 1), null);
      const seconds = (performance.now() - started) / 1000;
      if (seconds < 1) {
        throw new WrongAnswer(`BLPOP waited ${seconds.toFixed(2)} s instead of 1 s`);
      }
      await client.rpush(key, 'item');
      expect(await client.blpop(key, 1), 'item');
      return `empty after ${seconds.toFixed(2)} s`;
    });
  }

  // All keys once, those of `allSlots` among them.
  scan() {
    return this.using(async (client) => {
      const seen = new Set();
      for await (const found of client.scan(BATCH)) {
        found.forEach((key) => seen.add(key));
      }
      const slots = Array.from({ length: SLOTS }, (_, slot) => this.keys.at(slot, 'slot'));
      const found = slots.filter((key) => seen.has(key)).length;
      if (found < SLOTS) {
        throw new WrongAnswer(`SCAN found ${found} of ${SLOTS} keys`);
      }
      return expect(seen.size, await client.databaseSize());
    });
  }

  // A client of one server has no other server to read from: it can only ask its connection for READONLY.
  replicaRead() {
    if (!this.inClusterMode) {
      return this.using((client) => client.readOnly());
    }
    const [key, value] = [this.keys.any('replica'), randomUUID()];
    const read = async (client) => {
      await this.using((writer) => writer.set(key, value));
      const deadline = performance.now() + REPLICATION_MILLISECONDS;
      while ((await client.get(key)) !== value && performance.now() < deadline) {
        await setTimeout(50);
      }
      const before = countGets(await client.replicaStatistics(key));
      for (let number = 0; number < REPLICA_READS; number += 1) {
        expect(await client.get(key), value);
      }
      const served = countGets(await client.replicaStatistics(key)) - before;
      const text = `replicas served ${served} of ${REPLICA_READS} reads`;
      if (served < REPLICA_READS * this.Adapter.replicaShare) {
        throw new WrongAnswer(text);
      }
      return text;
    };
    return this.using(read, this.Adapter.fromReplicas);
  }
}

async function expectPairs(client, pairs) {
  expect(await client.pipeline(pairs), pairs.flatMap(([, value]) => ['OK', value]));
}

// The GETs that nodes have served, from their INFO commandstats.
function countGets(statistics) {
  const calls = statistics.map((text) => Number(/cmdstat_get:calls=(\d+)/.exec(text)?.[1] ?? 0));
  return calls.reduce((total, number) => total + number, 0);
}
