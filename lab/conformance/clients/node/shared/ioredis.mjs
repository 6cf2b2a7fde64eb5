// ioredis and iovalkey, in cluster mode and as clients of one server.
import { once } from 'node:events';

export class Ioredis {
  // A cluster's `pipeline` is for keys of one node; auto-pipelining makes one for each node.
  static clusterPipelines = { enableAutoPipelining: true };
  static fromReplicas = { scaleReads: 'slave' };
  static replicaShare = 1;

  constructor(client, inClusterMode) {
    Object.assign(this, { client, inClusterMode });
  }

  primaries() {
    return this.inClusterMode ? this.client.nodes('master') : [this.client];
  }

  close() {
    this.client.disconnect();
  }

  set(key, value) {
    return this.client.set(key, value);
  }

  get(key) {
    return this.client.get(key);
  }

  async pipeline(pairs) {
    if (this.inClusterMode) {
      return Promise.all(pairs.flatMap(([key, value]) => [this.set(key, value), this.get(key)]));
    }
    const pipeline = this.client.pipeline();
    pairs.forEach(([key, value]) => pipeline.set(key, value).get(key));
    return answers(await pipeline.exec());
  }

  async transaction(a, b) {
    return answers(await this.client.multi().set(a, 1).set(b, 2).get(a).get(b).exec());
  }

  async loadScript(script) {
    return (await Promise.all(this.primaries().map((node) => node.script('LOAD', script))))[0];
  }

  callScript(digest, key, argument) {
    return this.client.evalsha(digest, 1, key, argument);
  }

  async subscribe(channel) {
    await this.client.subscribe(channel);
    const message = once(this.client, 'message');
    return async () => (await message)[1];
  }

  publish(channel, message) {
    return this.client.publish(channel, message);
  }

  async blpop(key, seconds) {
    return (await this.client.blpop(key, seconds))?.[1] ?? null;
  }

  rpush(key, item) {
    return this.client.rpush(key, item);
  }

  // A cluster client scans node by node.
  async *scan(count) {
    for (const node of this.primaries()) {
      yield* node.scanStream({ count });
    }
  }

  async databaseSize() {
    const sizes = await Promise.all(this.primaries().map((node) => node.dbsize()));
    return sizes.reduce((total, size) => total + size, 0);
  }

  // The option `readOnly` hides that this is refused.
  readOnly() {
    return this.client.readonly();
  }

  replicaStatistics() {
    return Promise.all(this.client.nodes('slave').map((node) => node.info('commandstats')));
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
