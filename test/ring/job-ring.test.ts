import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import {
  OUTCOME_LOST,
  SLOT_FLAG_RETIRED,
  SLOT_FLAGS,
  SLOT_STATE,
  STATUS_DONE,
  STATUS_READY,
  withStatus,
} from '../../src/memory/layout.js';
import { JobRing, JobRingProducer, jobRingBytes } from '../../src/ring/job-ring.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const SLOTS = 4;

/** A ring of which a thread that was given up may still write to slot 0. */
function withRetiredSlot() {
  const { strideBytes, bytes } = jobRingBytes(SLOTS, 0);
  const buffer = new SharedArrayBuffer(bytes);
  const ring = new JobRing({ buffer, capacitySlots: SLOTS, strideBytes, periodic: false });
  const producer = new JobRingProducer(ring);
  const slot = producer.reserve();
  producer.publish(slot, STATUS_READY, 0, 0, 0, -1, 0, 0, 0);
  const base = ring.slotBase(slot);
  ring.i32[base + SLOT_FLAGS] = SLOT_FLAG_RETIRED;
  ring.i32[base + SLOT_STATE] = withStatus(ring.i32[base + SLOT_STATE]!, STATUS_DONE, OUTCOME_LOST);
  producer.free(slot);
  return { ring, producer, slot };
}

test('a retired slot is not used before its thread is gone, and then is', () => {
  const { ring, producer, slot } = withRetiredSlot();
  const others = [producer.reserve(), producer.reserve(), producer.reserve()];
  expect(others.sort()).toEqual([1, 2, 3]);
  expect(producer.reserve()).toBe(-1);
  ring.i32[ring.slotBase(slot) + SLOT_FLAGS] = 0;
  expect(producer.reserve()).toBe(slot);
  expect(producer.reserve()).toBe(-1);
});

test('reserving beside a retired slot allocates nothing', () => {
  const { producer } = withRetiredSlot();
  const cycle = (times: number): void => {
    for (let i = 0; i < times; i++) producer.free(producer.reserve());
  };
  cycle(20_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  cycle(5000);
  const bytes = (process.memoryUsage().heapUsed - before) / 5000;
  expect(bytes).toBeLessThan(20);
});
