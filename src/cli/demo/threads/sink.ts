import { workerData } from 'node:worker_threads';
import { clockSince } from '../../../host/node/clock.js';
import { NodeThreadControl } from '../../../host/node/thread-control.js';
import type { Priority } from '../../../host/thread-control.js';
import { StreamRing } from '../../../ring/stream-ring.js';
import { BLOCK_SAMPLE_FRAMES } from '../audio/parameters.js';
import { CONTROL, StageControl } from '../stage/control.js';
import type { Stage } from '../stage/stage.js';
import { runThread } from './thread-body.js';

export interface SinkData {
  readonly stage: Stage;
  readonly priority: Priority;
}

/** While the start is awaited: a stop may come between the look and the wait. */
const LOOK_FOR_STOP_MS = 50;

/** What the sink found, by its own count. */
export interface SinkResult {
  readonly periods: number;
  readonly xruns: number;
  /** The latest wake-up after its intended time. */
  readonly latestUs: number;
  /** Sample frames that the recorder was too slow to take. */
  readonly unrecordedSampleFrames: number;
}

/**
 * Behaves like a sound card: takes one block every period, at intended times counted from the start, plays silence and
 * counts an xrun when none is there. What it plays goes to the recorder.
 */
function play(data: SinkData, ready: () => void): SinkResult {
  const { stage, priority } = data;
  new NodeThreadControl().apply({ name: 'sink', priority, cpus: null });
  const control = new StageControl(stage.control);
  const clock = clockSince(stage.epochUs);
  const { channels, sampleRateHz } = stage.audio;
  const sound = StreamRing.attach(stage.sound, 'f32').consumer();
  const played = StreamRing.attach(stage.played, 'f32').producer();
  const samples = new Float32Array(BLOCK_SAMPLE_FRAMES * channels);
  const periodUs = (BLOCK_SAMPLE_FRAMES / sampleRateHz) * 1e6;
  let period = 0;
  let xruns = 0;
  let latestUs = 0;
  ready();
  while (control.startUs() < 0 && control.load(CONTROL.stop) === 0) {
    Atomics.wait(control.words, CONTROL.started, 0, LOOK_FOR_STOP_MS);
  }
  const startUs = control.startUs();
  while (period < stage.blocks) {
    const atUs = startUs + period * periodUs;
    const leftUs = atUs - clock.nowPreciseUs();
    if (leftUs > 0) Atomics.wait(control.words, CONTROL.stop, 0, leftUs / 1000);
    if (control.load(CONTROL.stop) !== 0) break;
    const lateUs = clock.nowPreciseUs() - atUs;
    if (lateUs < 0) continue;
    if (lateUs > latestUs) {
      latestUs = lateUs;
      control.store(CONTROL.sinkLateUs, latestUs);
    }
    if (sound.pull(samples, 0, BLOCK_SAMPLE_FRAMES) < BLOCK_SAMPLE_FRAMES) xruns++;
    played.push(samples, 0, BLOCK_SAMPLE_FRAMES);
    period++;
    control.store(CONTROL.xruns, xruns);
    control.store(CONTROL.playedBlocks, period);
  }
  played.close();
  return {
    periods: period,
    xruns,
    latestUs: Math.round(latestUs),
    unrecordedSampleFrames: played.droppedSampleFrames(),
  };
}

runThread((ready) => play(workerData as SinkData, ready));
