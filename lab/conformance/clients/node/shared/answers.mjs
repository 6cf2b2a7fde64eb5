// Whether an answer is the right one.
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { SLOTS } from './keys.mjs';
import { REPLICA_READS } from './sizes.mjs';

// The client gave an answer, but not the right one.
export class WrongAnswer extends Error {
  name = 'WrongAnswer';
}

// The answer as a text when it is as wanted.
export function expect(got, wanted) {
  if (!isDeepStrictEqual(got, wanted)) {
    throw new WrongAnswer(`got ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
  }
  return String(got);
}

// The same, but a replica may follow a little later.
export async function expectSoon(ask, wanted) {
  const deadline = performance.now() + 5000;
  let got = await ask();
  while (got !== wanted && performance.now() < deadline) {
    await setTimeout(50);
    got = await ask();
  }
  return expect(got, wanted);
}

// How long a BLPOP of one second waited.
export function expectOneSecond(started) {
  const seconds = (performance.now() - started) / 1000;
  if (seconds < 1) {
    throw new WrongAnswer(`BLPOP waited ${seconds.toFixed(2)} s instead of 1 s`);
  }
  return `empty after ${seconds.toFixed(2)} s`;
}

// How many of the reads replicas served, from the INFO commandstats of replicas before and after.
export function expectServed(before, after, atLeast) {
  const served = gets(after) - gets(before);
  const text = `replicas served ${served} of ${REPLICA_READS} reads`;
  if (served < atLeast) {
    throw new WrongAnswer(text);
  }
  return text;
}

// A SCAN must have found what `allSlots` wrote.
export function expectSlots(seen, keys) {
  const found = Array.from({ length: SLOTS }, (_, slot) => seen.has(keys.at(slot, 'slot'))).filter(Boolean).length;
  if (found < SLOTS) {
    throw new WrongAnswer(`SCAN found ${found} of ${SLOTS} keys`);
  }
}

function gets(statistics) {
  const calls = statistics.map((text) => Number(/cmdstat_get:calls=(\d+)/.exec(text)?.[1] ?? 0));
  return calls.reduce((total, number) => total + number, 0);
}
