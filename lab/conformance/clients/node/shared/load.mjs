// Steady writes while proxies or nodes fail: errors are counted, and at the end acknowledged writes that are lost.
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { describe, say } from './outcome.mjs';

const WORKERS = 4;
const KEYS_A_WORKER = 50;
const PACE_MILLISECONDS = 20;
const PAUSE_MILLISECONDS = 100;
const REPORT_MILLISECONDS = 250;
const READ_BACK_SECONDS = 20;

const now = () => performance.now() / 1000;

// What one of the concurrent writers has written and seen.
class Worker {
  acknowledged = 0;
  errors = [];
  values = new Map(); // of each key, the last acknowledged one
  longestGap = 0;

  constructor(keys) {
    this.keys = keys;
  }

  async write(store, ended) {
    let last = now();
    for (let counter = 1; !ended(); counter += 1) {
      const key = this.keys[counter % this.keys.length];
      try {
        await (await store()).set(key, String(counter));
      } catch (error) {
        this.errors.push(describe(error));
        await setTimeout(PAUSE_MILLISECONDS);
        continue;
      }
      this.acknowledged += 1;
      this.values.set(key, counter);
      this.longestGap = Math.max(this.longestGap, now() - last);
      last = now();
      await setTimeout(PACE_MILLISECONDS);
    }
    this.longestGap = Math.max(this.longestGap, now() - last);
  }

  // How many keys have an older value than was acknowledged; one that nobody can read counts, too.
  async lost(store, deadline) {
    let lost = 0;
    for (const [key, value] of this.values) {
      if ((await this.read(store, key, deadline)) < value) {
        lost += 1;
      }
    }
    return lost;
  }

  async read(store, key, deadline) {
    while (true) {
      try {
        return Number(await (await store()).get(key));
      } catch (error) {
        this.errors.push(describe(error));
        if (now() > deadline) {
          return 0;
        }
        await setTimeout(PAUSE_MILLISECONDS);
      }
    }
  }
}

// Writes until standard input ends, then reads all back. `open` gives something with `set` and `get`.
export async function load(open, keys) {
  const run = randomUUID();
  let atEnd = false;
  process.stdin.on('end', () => (atEnd = true)).resume();
  const store = openOnce(open);
  const workers = Array.from(
    { length: WORKERS },
    (_, number) => new Worker(keys.spread(KEYS_A_WORKER, `load:${run}:${number}`)),
  );
  const each = () => workers.map((worker) => worker.acknowledged);
  const tell = () => say({ ...totals(workers), workers: each() });
  const progress = setInterval(tell, REPORT_MILLISECONDS);
  await Promise.all(workers.map((worker) => worker.write(store, () => atEnd)));
  clearInterval(progress);
  const written = totals(workers);
  const deadline = now() + READ_BACK_SECONDS;
  const lost = await Promise.all(workers.map((worker) => worker.lost(store, deadline)));
  const texts = new Set(workers.flatMap((worker) => worker.errors));
  say({
    final: true,
    ...written,
    lost: sum(lost),
    longest_gap: Math.round(Math.max(...workers.map((worker) => worker.longestGap)) * 1000) / 1000,
    last_errors: [...texts].slice(-3),
  });
}

function totals(workers) {
  return {
    acknowledged: sum(workers.map((worker) => worker.acknowledged)),
    errors: sum(workers.map((worker) => worker.errors.length)),
  };
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

// One client for all, as programs have it; one that cannot connect yet is an error of that write, and tried again.
function openOnce(open) {
  let opened;
  return () => {
    opened ??= open().catch((error) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}
