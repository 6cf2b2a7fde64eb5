// What node-redis is asked to do, in cluster mode and as a client of one server. It has no pipelines: commands of the
// same tick are sent together.
import { randomUUID } from 'node:crypto';
import { expect, expectOneSecond, expectServed, expectSlots, expectSoon } from './answers.mjs';
import { SLOTS } from './keys.mjs';
import { BATCH, COMMANDS, REPLICA_READS, SCRIPT, TRANSACTIONS } from './sizes.mjs';

export class NodeRedis {
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
      client.destroy();
    }
  }

  primaries(client) {
    return this.inClusterMode ? Promise.all(client.masters.map((node) => client.nodeClient(node))) : [client];
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

  // SET and GET in turn, all in one tick.
  pipeline500() {
    const pairs = this.keys.spread(COMMANDS / 2, 'pipeline').map((key, number) => [key, String(number)]);
    return this.using(async (client) => {
      const commands = pairs.flatMap(([key, value]) => [client.set(key, value), client.get(key)]);
      expect(await Promise.all(commands), pairs.flatMap(([, value]) => ['OK', value]));
      return `${COMMANDS} answers in order`;
    });
  }

  // Two keys in a slot, in many slots.
  multiExec() {
    return this.using(async (client) => {
      for (const key of this.keys.spread(TRANSACTIONS, 'multi')) {
        const [a, b] = [`${key}:a`, `${key}:b`];
        const answers = await client.multi().set(a, 1).set(b, 2).get(a).get(b).exec();
        expect(answers, ['OK', 'OK', '1', '2']);
      }
      return `${TRANSACTIONS} transactions`;
    });
  }

  // In every shard, so that the script must have been loaded into each.
  evalsha() {
    return this.using(async (client) => {
      const digest = await client.scriptLoad(SCRIPT);
      for (const key of this.keys.spread(TRANSACTIONS, 'script')) {
        await client.set(key, 'left');
        expect(await client.evalSha(digest, { keys: [key], arguments: ['right'] }), 'leftright');
      }
      return `${TRANSACTIONS} scripts run`;
    });
  }

  // A subscriber can do nothing else, so another client publishes.
  pubsub() {
    const channel = this.keys.any(`channel:${randomUUID()}`);
    return this.using((publisher) =>
      this.using(async (subscriber) => {
        const { promise, resolve } = Promise.withResolvers();
        await subscriber.subscribe(channel, resolve);
        await publisher.publish(channel, 'hello');
        return expect(await promise, 'hello');
      }),
    );
  }

  // An empty list first, then one with an item.
  blpop() {
    const key = this.keys.any(`list:${randomUUID()}`);
    return this.using(async (client) => {
      const started = performance.now();
      expect(await client.blPop(key, 1), null);
      const waited = expectOneSecond(started);
      await client.rPush(key, 'item');
      expect({ ...(await client.blPop(key, 1)) }, { key, element: 'item' });
      return waited;
    });
  }

  // All keys once, those of `allSlots` among them; a cluster client scans node by node.
  scan() {
    return this.using(async (client) => {
      const seen = new Set();
      for (const node of await this.primaries(client)) {
        for await (const found of node.scanIterator({ COUNT: BATCH })) {
          found.forEach((key) => seen.add(key));
        }
      }
      expectSlots(seen, this.keys);
      return expect(seen.size, await client.dbSize());
    });
  }

  // A client of one server asks its connection for READONLY; its option `readonly` would, where that is refused, try to
  // connect for ever.
  replicaRead() {
    if (!this.inClusterMode) {
      return this.using((client) => client.sendCommand(['READONLY']));
    }
    const [key, value] = [this.keys.any('replica'), randomUUID()];
    const read = async (client) => {
      await this.using((writer) => writer.set(key, value));
      await expectSoon(() => client.get(key), value);
      const replicas = await Promise.all(client.replicas.map((node) => client.nodeClient(node)));
      const statistics = () => Promise.all(replicas.map((node) => node.info('commandstats')));
      const before = await statistics();
      for (let number = 0; number < REPLICA_READS; number += 1) {
        expect(await client.get(key), value);
      }
      // primary and replica take turns
      return expectServed(before, await statistics(), REPLICA_READS / 2);
    };
    return this.using(read, { useReplicas: true });
  }
}
