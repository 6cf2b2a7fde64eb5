// Keys in chosen slots: the file LAB_SLOT_KEYS has a hash tag for each slot, line by line.
import { readFileSync } from 'node:fs';

export const SLOTS = 16384;

// The keys of one client, so that clients never meet each other's values. Without a file, only `any` can be asked for.
export class Keys {
  constructor(client, file) {
    this.client = client;
    this.tags = file ? readFileSync(file, 'ascii').split('\n') : [];
  }

  // A key wherever it may lie.
  any(suffix) {
    return `${this.client}:${suffix}`;
  }

  // A key that lies in this slot.
  at(slot, suffix) {
    return `{${this.tags[slot]}}:${this.client}:${suffix}`;
  }

  // `count` keys in evenly spaced slots, and so in all shards.
  spread(count, suffix) {
    return Array.from({ length: count }, (_, number) =>
      this.at(Math.floor((number * SLOTS) / count), `${suffix}:${number}`),
    );
  }
}
