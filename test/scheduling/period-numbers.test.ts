import { task } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { expect, it } from 'vitest';
import { LANE_RELEASED, OUTCOME_ON_TIME } from '../../src/memory/layout.js';
import { outcomeCounter } from '../../src/telemetry/outcomes.js';
import type { AttachedMemory } from '../../src/worker/attached-memory.js';

// At 0.1 ms that is five days, at 1 kHz fifty.
it('more than 2^32 periods are counted', async () => {
  const block = task({ input: {}, run() {} });
  const scheduler = await createTestScheduler({
    lanes: { audio: { load: async () => ({ block }), periodic: { task: 'block', everyMs: 0.1 } } },
    executionUs: { block: 10 },
  });
  const { memory } = Reflect.get(scheduler, 'core') as { memory: AttachedMemory };
  const { control, layout, telemetry, telemetryLayout } = memory;
  await scheduler.advanceUs(50);
  // as if there had been 2^32 - 3 of them
  control[layout.lane(0) + LANE_RELEASED] = -3;
  telemetry[telemetryLayout.counters(0, 0) + outcomeCounter(OUTCOME_ON_TIME, -1) * 2] = -3;
  await scheduler.advanceMs(1);
  const { audio } = scheduler.snapshot().lanes;
  const count = 2 ** 32 - 3 + 10;
  expect(audio).toMatchObject({ submitted: count, accepted: count, inFlight: 0 });
  expect(audio!.outcomes.onTime).toBe(count);
  await scheduler.close();
});
