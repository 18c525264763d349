import { workerData } from 'node:worker_threads';
import { outcomeCounter } from '../../dist/telemetry/outcomes.js';
import {
  HISTOGRAM_EXECUTION,
  HISTOGRAM_QUEUEING,
  HISTOGRAM_RESPONSE,
  Recorder,
  TelemetryLayout,
} from '../../dist/telemetry/recorder.js';

// Records as a worker does after each job, and notes how long that took. Asked by a word, answers by another.

export const ASK = 0;
export const ANSWER = 1;

if (workerData?.recorder !== undefined) {
  const { control, telemetry, tookNs, taskCount, workerCount } = workerData.recorder;
  const recorder = new Recorder(telemetry, new TelemetryLayout(taskCount, workerCount), 0);
  const counter = outcomeCounter(1, -1);
  for (let round = 1; ; round++) {
    Atomics.wait(control, ASK, round - 1);
    if (Atomics.load(control, ASK) < 0) break;
    for (let i = 0; i < tookNs.length; i++) {
      const us = 1 + ((i * 2654435761) % 3000) / 7;
      const from = performance.now();
      recorder.record(0, HISTOGRAM_QUEUEING, us);
      recorder.record(0, HISTOGRAM_EXECUTION, us);
      recorder.record(0, HISTOGRAM_RESPONSE, us);
      recorder.count(0, counter);
      tookNs[i] = (performance.now() - from) * 1e6;
    }
    Atomics.store(control, ANSWER, round);
    Atomics.notify(control, ANSWER);
  }
}
