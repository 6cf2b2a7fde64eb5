// What Valkey GLIDE is asked to do, in cluster mode and as a client of one server: batches instead of pipelines, and
// scripts that load themselves.
import { Batch, ClusterBatch, ClusterScanCursor, InfoOptions, Logger, Script } from '@valkey/valkey-glide';
import { randomUUID } from 'node:crypto';
import { expect, expectOneSecond, expectServed, expectSlots, expectSoon } from './answers.mjs';
import { SLOTS } from './keys.mjs';
import { BATCH, COMMANDS, REPLICA_READS, SCRIPT, TRANSACTIONS } from './sizes.mjs';

const SUBSCRIBE_MILLISECONDS = 5000;

Logger.setLoggerConfig('off'); // it writes to standard output

export class Glide {
  constructor(open, keys, inClusterMode) {
    this.open = open;
    this.keys = keys;
    this.inClusterMode = inClusterMode;
  }

  // A client of its own for each behaviour, so that what one left behind is no other's fault.
  async using(behaviour, options) {
    const client = await this.open(options);
    try {
      return await behaviour(client);
    } finally {
      client.close();
    }
  }

  batch(isAtomic) {
    return this.inClusterMode ? new ClusterBatch(isAtomic) : new Batch(isAtomic);
  }

  connect() {
    return this.using(async (client) => {
      const [key, value] = [this.keys.any('connect'), randomUUID()];
      await client.set(key, value);
      return expect(await client.get(key), value);
    });
  }

  // A key in each slot, in batches.
  allSlots() {
    return this.using(async (client) => {
      for (let start = 0; start < SLOTS; start += BATCH) {
        const slots = Array.from({ length: BATCH }, (_, number) => start + number);
        const [writes, reads] = [this.batch(false), this.batch(false)];
        for (const slot of slots) {
          writes.set(this.keys.at(slot, 'slot'), String(slot));
          reads.get(this.keys.at(slot, 'slot'));
        }
        await client.exec(writes, true);
        expect(await client.exec(reads, true), slots.map(String));
      }
      return `${SLOTS} slots`;
    });
  }

  // SET and GET in turn, in one batch over all nodes.
  pipeline500() {
    const batch = this.batch(false);
    const wanted = [];
    this.keys.spread(COMMANDS / 2, 'pipeline').forEach((key, number) => {
      batch.set(key, String(number)).get(key);
      wanted.push('OK', String(number));
    });
    return this.using(async (client) => {
      expect(await client.exec(batch, true), wanted);
      return `${COMMANDS} answers in order`;
    });
  }

  // Two keys in a slot, in many slots.
  multiExec() {
    return this.using(async (client) => {
      for (const key of this.keys.spread(TRANSACTIONS, 'multi')) {
        const [a, b] = [`${key}:a`, `${key}:b`];
        const batch = this.batch(true).set(a, '1').set(b, '2').get(a).get(b);
        expect(await client.exec(batch, true), ['OK', 'OK', '1', '2']);
      }
      return `${TRANSACTIONS} transactions`;
    });
  }

  // In every shard; GLIDE sends EVALSHA, and SCRIPT LOAD where the node does not know the script.
  evalsha() {
    const script = new Script(SCRIPT);
    return this.using(async (client) => {
      for (const key of this.keys.spread(TRANSACTIONS, 'script')) {
        await client.set(key, 'left');
        expect(await client.invokeScript(script, { keys: [key], args: ['right'] }), 'leftright');
      }
      return `${TRANSACTIONS} scripts run`;
    });
  }

  // One client subscribes, another one publishes.
  pubsub() {
    const channel = this.keys.any(`channel:${randomUUID()}`);
    return this.using((publisher) =>
      this.using(async (subscriber) => {
        await subscriber.subscribe([channel], SUBSCRIBE_MILLISECONDS);
        await publisher.publish('hello', channel);
        return expect((await subscriber.getPubSubMessage()).message, 'hello');
      }),
    );
  }

  // An empty list first, then one with an item.
  blpop() {
    const key = this.keys.any(`list:${randomUUID()}`);
    return this.using(async (client) => {
      const started = performance.now();
      expect(await client.blpop([key], 1), null);
      const waited = expectOneSecond(started);
      await client.rpush(key, ['item']);
      expect(await client.blpop([key], 1), [key, 'item']);
      return waited;
    });
  }

  // All keys once, those of `allSlots` among them.
  scan() {
    return this.using(async (client) => {
      const seen = new Set();
      const scanned = this.inClusterMode ? clusterKeys(client) : serverKeys(client);
      for await (const found of scanned) {
        found.forEach((key) => seen.add(key));
      }
      expectSlots(seen, this.keys);
      return expect(seen.size, await client.dbsize());
    });
  }

  // A client of one server has no other server to read from, and asks its connection for READONLY.
  replicaRead() {
    if (!this.inClusterMode) {
      return this.using((client) => client.customCommand(['READONLY']));
    }
    const [key, value] = [this.keys.any('replica'), randomUUID()];
    const read = async (client) => {
      await client.set(key, value);
      await expectSoon(() => client.get(key), value);
      const route = { type: 'replicaSlotKey', key };
      const statistics = async () => [await client.info({ sections: [InfoOptions.Commandstats], route })];
      const before = await statistics();
      for (let number = 0; number < REPLICA_READS; number += 1) {
        expect(await client.get(key), value);
      }
      return expectServed(before, await statistics(), REPLICA_READS);
    };
    return this.using(read, { readFrom: 'preferReplica' });
  }
}

async function* clusterKeys(client) {
  let [cursor, found] = [new ClusterScanCursor(), []];
  while (!cursor.isFinished()) {
    [cursor, found] = await client.scan(cursor, { count: BATCH });
    yield found;
  }
}

async function* serverKeys(client) {
  let [cursor, found] = ['0', []];
  do {
    [cursor, found] = await client.scan(cursor, { count: BATCH });
    yield found;
  } while (cursor !== '0');
}
