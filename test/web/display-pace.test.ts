import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/base/time.js';
import type { DisplayFrames } from '../../src/host/platform.js';
import { DisplayPace } from '../../src/scheduler/display-pace.js';

/** A display in virtual time: frames begin every `periodUs`, and are told when the main thread has time. */
class FakeDisplay implements DisplayFrames {
  hidden = false;
  periodUs: number;
  /** Until then the main thread is busy. */
  busyUntilUs = 0;
  private readonly clock: VirtualClock;
  private nextUs: number;
  private callback: ((startUs: number) => void) | null = null;
  private readonly watchers: (() => void)[] = [];

  constructor(clock: VirtualClock, hz: number) {
    this.clock = clock;
    this.periodUs = 1e6 / hz;
    this.nextUs = this.periodUs;
  }
  next(callback: (startUs: number) => void): void {
    this.callback = callback;
  }
  cancel(): void {
    this.callback = null;
  }
  watch(onChange: () => void): () => void {
    this.watchers.push(onChange);
    return () => this.watchers.splice(this.watchers.indexOf(onChange), 1);
  }
  setHidden(hidden: boolean): void {
    this.hidden = hidden;
    for (const watcher of [...this.watchers]) watcher();
  }
  /** The next frame, 200 µs after it began or when the main thread has time. */
  async frame(): Promise<void> {
    const now = this.clock.nowPreciseUs();
    while (this.nextUs <= now) this.nextUs += this.periodUs;
    const startUs = this.nextUs;
    this.clock.advanceUs(Math.max(startUs + 200, this.busyUntilUs) - now);
    const { callback } = this;
    this.callback = null;
    callback?.(startUs);
    // whoever waits goes on
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }
}

async function begun(hz: number, wantedHz: number | null = null) {
  const clock = new VirtualClock(0);
  const display = new FakeDisplay(clock, hz);
  const pace = new DisplayPace(display, clock, wantedHz);
  let known = false;
  void pace.begin().then(() => {
    known = true;
  });
  for (let i = 0; i < 40 && !known; i++) await display.frame();
  expect(known).toBe(true);
  let returnedUs = 0;
  const tick = async (workUs = 100) => {
    let came = false;
    void pace.wait().then(() => {
      came = true;
    });
    let frames = 0;
    for (; !came && frames < 10_000; frames++) await display.frame();
    pace.arrive(clock.nowPreciseUs(), returnedUs);
    clock.advanceUs(workUs);
    returnedUs = clock.nowPreciseUs();
    return { frames, dropped: pace.droppedTicks, pausedUs: pace.pausedUs, tickUs: pace.tickUs };
  };
  return { clock, display, pace, tick };
}

describe('ticks at the frames of a display', () => {
  it.each([30, 50, 60, 75, 90, 120, 144, 165, 240])('finds a rate of %i Hz', async (hz) => {
    const { pace, tick } = await begun(hz);
    expect(pace.hz).toBeCloseTo(hz, 1);
    await tick();
    const { tickUs } = await tick();
    // when the display began it, not when it was told
    expect((tickUs * hz) / 1e6 - Math.round((tickUs * hz) / 1e6)).toBeCloseTo(0, 3);
    for (let i = 0; i < 50; i++) expect((await tick()).dropped).toBe(0);
  });

  it.each([
    [60, 30, 2],
    [60, 20, 3],
    [144, 60, 2],
    [120, 60, 2],
    [60, 120, 1],
    [60, 59, 1],
    [240, 1, 240],
  ])('on %i Hz takes every n-th frame for %i Hz', async (hz, wanted, every) => {
    const { pace, tick } = await begun(hz, wanted);
    await tick();
    for (let i = 0; i < 3; i++) expect(await tick()).toMatchObject({ frames: every, dropped: 0, pausedUs: 0 });
    expect(pace.hz).toBeCloseTo(hz / every, 1);
  });

  it('counts frames that a long callback did not take', async () => {
    const { tick } = await begun(60);
    await tick();
    await tick(45_000);
    expect(await tick()).toMatchObject({ dropped: 2, pausedUs: 0 });
    expect(await tick()).toMatchObject({ dropped: 0 });
    // longer than a sleep, but its own doing
    await tick(1_500_000);
    const { dropped, pausedUs } = await tick();
    expect(dropped).toBe(90);
    expect(pausedUs).toBe(0);
  });

  it('counts frames that came late because the main thread was busy', async () => {
    const { clock, display, tick } = await begun(60);
    await tick();
    display.busyUntilUs = clock.nowPreciseUs() + 100_000;
    const { dropped } = await tick();
    expect(dropped).toBe(5);
    expect((await tick()).dropped).toBe(0);
  });

  it('takes a gap without frames for one, with one tick that tells of it', async () => {
    const { clock, tick } = await begun(60);
    await tick();
    clock.advanceUs(3600e6);
    const { dropped, pausedUs } = await tick();
    expect(dropped).toBe(1);
    expect(pausedUs).toBeGreaterThan(3599e6);
    expect(await tick()).toMatchObject({ dropped: 0, pausedUs: 0 });
  });

  it('misses nothing while hidden, also if a last frame still comes', async () => {
    const { clock, display, tick } = await begun(60);
    await tick();
    display.setHidden(true);
    expect(await tick()).toMatchObject({ dropped: 0, pausedUs: 0 });
    clock.advanceUs(300_000);
    display.setHidden(false);
    const { dropped, pausedUs } = await tick();
    expect(dropped).toBe(0);
    expect(pausedUs).toBeGreaterThan(250_000);
    expect(await tick()).toMatchObject({ dropped: 0, pausedUs: 0 });
  });

  it.each([
    [60, 144],
    [144, 60],
    [60, 240],
    [120, 60],
  ])('follows the window from a display of %i Hz to one of %i Hz', async (before, after) => {
    const { display, pace, tick } = await begun(before);
    await tick();
    display.periodUs = 1e6 / after;
    for (let i = 0; i < 130; i++) await tick();
    expect(pace.hz).toBeCloseTo(after, 1);
    expect(await tick()).toMatchObject({ frames: 1, dropped: 0 });
  });

  it('does not take a main thread that is always late for a slower display', async () => {
    const { pace, tick } = await begun(60);
    let dropped = 0;
    for (let i = 0; i < 200; i++) dropped += (await tick(20_000)).dropped;
    expect(pace.hz).toBeCloseTo(60, 1);
    expect(dropped).toBeGreaterThanOrEqual(198);
  });

  it('ends while it waits, also for its rate', async () => {
    const clock = new VirtualClock(0);
    const pace = new DisplayPace(new FakeDisplay(clock, 60), clock, null);
    const begin = pace.begin();
    pace.end();
    await begin;
    expect(pace.hz).toBe(0);
    const { pace: other } = await begun(60);
    const wait = other.wait();
    other.end();
    await wait;
    await other.wait();
  });
});
