import { describe, expect, it } from 'vitest';
import { loadEvents, loadSound } from '../../../src/cli/demo/prepare.js';

describe('what is generated', () => {
  it('is as long as asked, and comes again where that is long', () => {
    expect(loadSound({ audio: null, seconds: 0.001 })).toMatchObject({ seconds: 0.001, blocks: 1, pastEnd: 'loop' });
    expect(loadSound({ audio: null, seconds: 2 })).toMatchObject({ seconds: 2, blocks: 750 });
    const long = loadSound({ audio: null, seconds: 3000 });
    expect(long).toMatchObject({ seconds: 3000, blocks: 1_125_000 });
    expect(long.audio.sampleFrames).toBe(120 * 48_000);

    const events = loadEvents(null, 250, 1);
    expect(events.every((event, i) => i === 0 || event.timeUs >= events[i - 1]!.timeUs)).toBe(true);
    expect(events.at(-1)!.timeUs).toBeGreaterThan(249.9e6);
    expect(events.at(-1)!.timeUs).toBeLessThan(250e6);
    expect(loadEvents(null, 1, 7)).toEqual(loadEvents(null, 1, 7));
    expect(loadEvents(null, 1, 7)).not.toEqual(loadEvents(null, 1, 8));
  });

  it('is refused where a WAV could not hold it', () => {
    expect(() => loadSound({ audio: null, seconds: 12_000 })).toThrow(
      expect.objectContaining({ code: 'OUTPUT_UNWRITABLE' }),
    );
  });
});
