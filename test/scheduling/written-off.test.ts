import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Undertaker } from '../../src/scheduler/dead-worker.js';
import { HungWorkers, type PlaceKeeper } from '../../src/scheduler/hung-workers.js';
import type { LaneService } from '../../src/scheduler/lane-service.js';
import type { Place } from '../../src/scheduler/places.js';
import type { Quarantine } from '../../src/scheduler/quarantine.js';
import { Spares } from '../../src/scheduler/spares.js';
import type { Supervisor } from '../../src/scheduler/supervisor.js';
import { WRITE_OFF_MS } from '../../src/scheduler/thread-endings.js';
import type { AttachedMemory } from '../../src/worker/attached-memory.js';

// A thread that hangs in native code is written off; its place waits for a spare, if there is one to wait for.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function servingPlace(): Place {
  const thread = { api: {}, ended: new Promise(() => {}), terminate: async () => {} };
  return { column: 0, state: 'serving', thread, hung: null, spare: null, deaths: 0, writtenOff: 0, tasks: [] } as never;
}

it('is given up when the spare that it waits for turns out not to come', () => {
  const place = servingPlace();
  const giveUp = vi.fn();
  let willCome = true;
  const keeper: PlaceKeeper = {
    places: [place],
    closing: false,
    spares: { take: () => null, freeColumn() {}, willCome: () => willCome },
    needsOldGone: () => false,
    install: async () => {},
    replaceDead: async () => {},
  };
  const hung = new HungWorkers(
    keeper,
    { runningTask: () => 0 } as unknown as AttachedMemory,
    { condemn: () => 'condemned', giveUp } as unknown as LaneService,
    { retire: () => [] } as unknown as Undertaker,
    { noteKill: () => true } as unknown as Quarantine,
  );
  hung.onHung(0, 300, { jobs: 0, startUs: 0, isAgain: false });
  vi.advanceTimersByTime(WRITE_OFF_MS);
  hung.fillPlaces();
  expect(place).toMatchObject({ state: 'restarting', writtenOff: 1 });
  expect(giveUp).not.toHaveBeenCalled();
  willCome = false;
  hung.fillPlaces();
  expect(place.state).toBe('gone');
  expect(giveUp.mock.calls).toEqual([[0]]);
  hung.fillPlaces();
  expect(giveUp.mock.calls).toEqual([[0]]);
});

it('spares tell when one that was being made has failed', async () => {
  const place = servingPlace();
  const supervisor = {
    places: [place],
    closing: false,
    load: async () => ({ ok: false, error: { code: 'TASK_MODULE_FAILED', message: 'no', stack: null } }),
  } as unknown as Supervisor;
  const told: boolean[] = [];
  const spares: Spares = new Spares(
    supervisor,
    {} as AttachedMemory,
    {} as LaneService,
    [{ places: [0], columns: [1] }],
    () => told.push(spares.willCome(place)),
  );
  spares.start(10);
  expect(spares.willCome(place)).toBe(true);
  await vi.advanceTimersByTimeAsync(10);
  // the third failure in a row is the last
  expect(told).toEqual([true, true, false]);
});
