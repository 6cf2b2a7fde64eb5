// Valkey GLIDE, in cluster mode and as a client of one server: batches instead of pipelines, and scripts that load
// themselves.
import { Batch, ClusterBatch, ClusterScanCursor, InfoOptions, Logger, Script } from '@valkey/valkey-glide';

const SUBSCRIBE_MILLISECONDS = 5000;

Logger.setLoggerConfig('off'); // it writes to standard output

export class Glide {
  static clusterPipelines = {};
  static fromReplicas = { readFrom: 'preferReplica' };
  static replicaShare = 1;

  constructor(client, inClusterMode) {
    Object.assign(this, { client, inClusterMode });
  }

  batch(isAtomic) {
    return this.inClusterMode ? new ClusterBatch(isAtomic) : new Batch(isAtomic);
  }

  close() {
    this.client.close();
  }

  set(key, value) {
    return this.client.set(key, value);
  }

  get(key) {
    return this.client.get(key);
  }

  pipeline(pairs) {
    const batch = this.batch(false);
    pairs.forEach(([key, value]) => batch.set(key, value).get(key));
    return this.client.exec(batch, true);
  }

  transaction(a, b) {
    return this.client.exec(this.batch(true).set(a, '1').set(b, '2').get(a).get(b), true);
  }

  // GLIDE sends EVALSHA, and SCRIPT LOAD where the node does not know the script.
  loadScript(script) {
    return new Script(script);
  }

  callScript(script, key, argument) {
    return this.client.invokeScript(script, { keys: [key], args: [argument] });
  }

  async subscribe(channel) {
    await this.client.subscribe([channel], SUBSCRIBE_MILLISECONDS);
    return async () => (await this.client.getPubSubMessage()).message;
  }

  publish(channel, message) {
    return this.client.publish(message, channel);
  }

  async blpop(key, seconds) {
    return (await this.client.blpop([key], seconds))?.[1] ?? null;
  }

  rpush(key, item) {
    return this.client.rpush(key, [item]);
  }

  async *scan(count) {
    let [cursor, found] = [this.inClusterMode ? new ClusterScanCursor() : '0', []];
    do {
      [cursor, found] = await this.client.scan(cursor, { count });
      yield found;
    } while (this.inClusterMode ? !cursor.isFinished() : cursor !== '0');
  }

  databaseSize() {
    return this.client.dbsize();
  }

  readOnly() {
    return this.client.customCommand(['READONLY']);
  }

  async replicaStatistics(key) {
    const route = { type: 'replicaSlotKey', key };
    return [await this.client.info({ sections: [InfoOptions.Commandstats], route })];
  }
}
