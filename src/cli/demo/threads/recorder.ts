import { workerData } from 'node:worker_threads';
import { StreamRing } from '../../../ring/stream-ring.js';
import { WavWriter } from '../audio/wav-writer.js';
import type { Stage } from '../stage/stage.js';
import { runThread } from './thread-body.js';

export interface RecorderData {
  readonly stage: Stage;
  readonly path: string;
}
export interface RecorderResult {
  readonly sampleFrames: number;
}

const LOOK_EVERY_MS = 20;
const SAMPLE_FRAMES_AT_ONCE = 1024;

/** Writes what the sink played, on a thread of its own: a slow disk then disturbs nothing but the recorder's ring. */
function record(data: RecorderData, ready: () => void): RecorderResult {
  const { stage, path } = data;
  const { channels, sampleRateHz } = stage.audio;
  const played = StreamRing.attach(stage.played, 'f32').consumer();
  const samples = new Float32Array(SAMPLE_FRAMES_AT_ONCE * channels);
  const sleep = new Int32Array(new SharedArrayBuffer(4));
  const writer = new WavWriter(path, sampleRateHz, channels);
  try {
    ready();
    for (;;) {
      const got = played.read(samples, 0, SAMPLE_FRAMES_AT_ONCE);
      if (got > 0) writer.appendInterleaved(samples, got);
      else if (played.ended()) break;
      else Atomics.wait(sleep, 0, 0, LOOK_EVERY_MS);
    }
  } finally {
    writer.finish();
  }
  return { sampleFrames: writer.sampleFrames };
}

runThread((ready) => record(workerData as RecorderData, ready));
