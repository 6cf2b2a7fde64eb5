// node-redis, in cluster mode and as a client of one server.
export class NodeRedis {
  static clusterPipelines = {};
  static fromReplicas = { useReplicas: true };
  static replicaShare = 1 / 2; // primary and replica take turns

  constructor(client, inClusterMode) {
    Object.assign(this, { client, inClusterMode });
  }

  primaries() {
    return this.inClusterMode ? this.nodes(this.client.masters) : [this.client];
  }

  nodes(nodes) {
    return Promise.all(nodes.map((node) => this.client.nodeClient(node)));
  }

  close() {
    this.client.destroy();
  }

  set(key, value) {
    return this.client.set(key, value);
  }

  get(key) {
    return this.client.get(key);
  }

  // It has no pipelines: commands of the same tick are sent together.
  pipeline(pairs) {
    return Promise.all(pairs.flatMap(([key, value]) => [this.set(key, value), this.get(key)]));
  }

  transaction(a, b) {
    return this.client.multi().set(a, 1).set(b, 2).get(a).get(b).exec();
  }

  loadScript(script) {
    return this.client.scriptLoad(script);
  }

  callScript(digest, key, argument) {
    return this.client.evalSha(digest, { keys: [key], arguments: [argument] });
  }

  async subscribe(channel) {
    const { promise, resolve } = Promise.withResolvers();
    await this.client.subscribe(channel, resolve);
    return () => promise;
  }

  publish(channel, message) {
    return this.client.publish(channel, message);
  }

  async blpop(key, seconds) {
    return (await this.client.blPop(key, seconds))?.element ?? null;
  }

  rpush(key, item) {
    return this.client.rPush(key, item);
  }

  // A cluster client scans node by node.
  async *scan(count) {
    for (const node of await this.primaries()) {
      yield* node.scanIterator({ COUNT: count });
    }
  }

  databaseSize() {
    return this.client.dbSize();
  }

  // With the option `readonly`, where that is refused, it would try to connect for ever.
  readOnly() {
    return this.client.sendCommand(['READONLY']);
  }

  async replicaStatistics() {
    const replicas = await this.nodes(this.client.replicas);
    return Promise.all(replicas.map((node) => node.info('commandstats')));
  }
}
