import { expect, test } from 'vitest';
import { HISTOGRAMS } from '../../src/telemetry/recorder.js';
import { makeTelemetry } from './fixture.js';

const sum = (counts: object): number => Object.values(counts).reduce((a: number, b: number) => a + b, 0);

test.each([1, 2, 99])('the fixture keeps to the contract of Telemetry: seed %i', (seed) => {
  const telemetry = makeTelemetry(seed);
  expect(makeTelemetry(seed)).toEqual(telemetry);
  expect(JSON.parse(JSON.stringify(telemetry))).toEqual(telemetry);
  for (const { name, tasks } of telemetry.lanes) {
    const ofLane = telemetry.misses.filter(({ lane }) => lane === name);
    expect(sum(ofLane.map(({ periods }) => periods))).toBe(sum(tasks.map(({ misses }) => misses)));
    for (const task of tasks) {
      expect(task.submitted).toBe(task.accepted + task.refused);
      expect(task.refused).toBe(sum(task.refusals));
      expect(task.accepted).toBe(sum(task.outcomes) + task.inFlight);
      expect(task.misses).toBe(sum(task.missCauses));
      for (const histogram of HISTOGRAMS) {
        const { count, buckets } = task.histograms[histogram];
        expect(sum(buckets.map(([, of]) => of))).toBe(count);
      }
    }
  }
  for (const miss of telemetry.misses) {
    const { segments, finishAtUs, releaseAtUs, deadlineAtUs } = miss;
    expect(sum(Object.values(segments).map((us) => us ?? 0))).toBeCloseTo(finishAtUs - releaseAtUs, 3);
    expect(finishAtUs).toBeGreaterThan(deadlineAtUs);
    expect(miss.causes).toContain(miss.cause);
  }
  const [loop] = telemetry.loops;
  expect(loop!.intendedTicks).toBe(loop!.frames + loop!.droppedTicks);
  expect(sum(loop!.droppedCauses)).toBe(loop!.droppedTicks);
  expect(sum(telemetry.frames.map(({ ticks }) => ticks))).toBe(600);
});
