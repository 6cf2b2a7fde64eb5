// What ioredis and iovalkey are asked to do: one set of methods, in cluster mode and as clients of one server.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, expectOneSecond, expectServed, expectSlots, expectSoon } from './answers.mjs';
import { SLOTS } from './keys.mjs';
import { BATCH, COMMANDS, REPLICA_READS, SCRIPT, TRANSACTIONS } from './sizes.mjs';

export class Ioredis {
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
      client.disconnect();
    }
  }

  primaries(client) {
    return this.inClusterMode ? client.nodes('master') : [client];
  }

  connect() {
    return this.using(async (client) => {
      const [key, value] = [this.keys.any('connect'), randomUUID()];
      await client.set(key, value);
      return expect(await client.get(key), value);
    });
  }

  // A key in each slot, many commands at a time.
  allSlots() {
    return this.using(async (client) => {
      for (let start = 0; start < SLOTS; start += BATCH) {
        const slots = Array.from({ length: BATCH }, (_, number) => start + number);
        const keys = slots.map((slot) => this.keys.at(slot, 'slot'));
        await Promise.all(keys.map((key, number) => client.set(key, slots[number])));
        expect(await Promise.all(keys.map((key) => client.get(key))), slots.map(String));
      }
      return `${SLOTS} slots`;
    });
  }

  // SET and GET in turn. A cluster's `pipeline` is for keys of one node; auto-pipelining makes one for each node.
  pipeline500() {
    const pairs = this.keys.spread(COMMANDS / 2, 'pipeline').map((key, number) => [key, String(number)]);
    const wanted = pairs.flatMap(([, value]) => ['OK', value]);
    const atOnce = (client) => Promise.all(pairs.flatMap(([key, value]) => [client.set(key, value), client.get(key)]));
    const pipelined = async (client) => {
      const pipeline = client.pipeline();
      pairs.forEach(([key, value]) => pipeline.set(key, value).get(key));
      return answers(await pipeline.exec());
    };
    const options = this.inClusterMode ? { enableAutoPipelining: true } : {};
    return this.using(async (client) => {
      expect(await (this.inClusterMode ? atOnce(client) : pipelined(client)), wanted);
      return `${COMMANDS} answers in order`;
    }, options);
  }

  // Two keys in a slot, in many slots.
  multiExec() {
    return this.using(async (client) => {
      for (const key of this.keys.spread(TRANSACTIONS, 'multi')) {
        const [a, b] = [`${key}:a`, `${key}:b`];
        const pairs = await client.multi().set(a, 1).set(b, 2).get(a).get(b).exec();
        expect(answers(pairs), ['OK', 'OK', '1', '2']);
      }
      return `${TRANSACTIONS} transactions`;
    });
  }

  // In every shard, so that the script must have been loaded into each.
  evalsha() {
    return this.using(async (client) => {
      const [digest] = await Promise.all(this.primaries(client).map((node) => node.script('LOAD', SCRIPT)));
      for (const key of this.keys.spread(TRANSACTIONS, 'script')) {
        await client.set(key, 'left');
        expect(await client.evalsha(digest, 1, key, 'right'), 'leftright');
      }
      return `${TRANSACTIONS} scripts run`;
    });
  }

  // A subscriber can do nothing else, so another client publishes.
  pubsub() {
    const channel = this.keys.any(`channel:${randomUUID()}`);
    return this.using((publisher) =>
      this.using(async (subscriber) => {
        await subscriber.subscribe(channel);
        const message = once(subscriber, 'message');
        await publisher.publish(channel, 'hello');
        return expect((await message)[1], 'hello');
      }),
    );
  }

  // An empty list first, then one with an item.
  blpop() {
    const key = this.keys.any(`list:${randomUUID()}`);
    return this.using(async (client) => {
      const started = performance.now();
      expect(await client.blpop(key, 1), null);
      const waited = expectOneSecond(started);
      await client.rpush(key, 'item');
      expect(await client.blpop(key, 1), [key, 'item']);
      return waited;
    });
  }

  // All keys once, those of `allSlots` among them; a cluster client scans node by node.
  scan() {
    return this.using(async (client) => {
      const seen = new Set();
      for (const node of this.primaries(client)) {
        for await (const found of node.scanStream({ count: BATCH })) {
          found.forEach((key) => seen.add(key));
        }
      }
      expectSlots(seen, this.keys);
      const sizes = await Promise.all(this.primaries(client).map((node) => node.dbsize()));
      return expect(
        seen.size,
        sizes.reduce((total, size) => total + size, 0),
      );
    });
  }

  // A client of one server asks its connection for READONLY; its option `readOnly` hides that this is refused.
  replicaRead() {
    if (!this.inClusterMode) {
      return this.using((client) => client.readonly());
    }
    const [key, value] = [this.keys.any('replica'), randomUUID()];
    const read = async (client) => {
      await this.using((writer) => writer.set(key, value));
      await expectSoon(() => client.get(key), value);
      const statistics = () => Promise.all(client.nodes('slave').map((node) => node.info('commandstats')));
      const before = await statistics();
      for (let number = 0; number < REPLICA_READS; number += 1) {
        expect(await client.get(key), value);
      }
      return expectServed(before, await statistics(), REPLICA_READS);
    };
    return this.using(read, { scaleReads: 'slave' });
  }
}

// The answers of a pipeline, which come in pairs with their errors.
function answers(pairs) {
  return pairs.map(([error, answer]) => {
    if (error) {
      throw error;
    }
    return answer;
  });
}
