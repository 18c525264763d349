import { clockSince, newEpochUs } from '../dist/host/node/clock.js';
import { JobTraceWriter, jobTraceWords } from '../dist/telemetry/job-trace.js';
import { outcomeCounter } from '../dist/telemetry/outcomes.js';
import {
  HISTOGRAM_EXECUTION,
  HISTOGRAM_QUEUEING,
  HISTOGRAM_RESPONSE,
  Recorder,
  TelemetryLayout,
} from '../dist/telemetry/recorder.js';
import { consumed, nsPerIteration } from './harness/overhead.js';
import { row } from './harness/stats.js';

export const describe = 'what the always-on telemetry costs a job, its functions by themselves';

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const n = quick ? 200_000 : 3_000_000;
  const layout = new TelemetryLayout(2, 1);
  const words = new Int32Array(new SharedArrayBuffer(layout.words * 4));
  const recorder = new Recorder(words, layout, 0);
  const clock = clockSince(newEpochUs());
  const counter = outcomeCounter(1, -1);
  // varied as jobs' times are, so that the buckets differ
  const us = Float64Array.from({ length: 4096 }, (_, i) => 1 + ((i * 2654435761) % 3000) / 7);

  const clockRead = (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += clock.nowPreciseUs();
    return sum;
  };
  const record = (count) => {
    for (let i = 0; i < count; i++) recorder.record(0, HISTOGRAM_QUEUEING, us[i & 4095]);
    return count;
  };
  const job = (count) => {
    let announced = 0;
    for (let i = 0; i < count; i++) {
      const queueingUs = us[i & 4095];
      const executionUs = us[(i + 1) & 4095];
      recorder.record(0, HISTOGRAM_QUEUEING, queueingUs);
      recorder.record(0, HISTOGRAM_EXECUTION, executionUs);
      recorder.record(0, HISTOGRAM_RESPONSE, queueingUs + executionUs);
      announced = recorder.valueAfterCount(0, counter);
      recorder.count(0, counter);
    }
    return announced;
  };
  const jobTrace = new JobTraceWriter(new Int32Array(new SharedArrayBuffer(jobTraceWords() * 4)), 0);
  const trace = (count) => {
    let nowUs = 0;
    for (let i = 0; i < count; i++) {
      nowUs = (nowUs + (i & 15)) | 0;
      jobTrace.record(i & 3, 1, i, -1, nowUs, nowUs + 3, nowUs + 9, nowUs + 99, nowUs + 16_000, 1, -1, 6);
    }
    return nowUs;
  };
  const clockNs = nsPerIteration(clockRead, n, rounds);
  const recordNs = nsPerIteration(record, n, rounds);
  const jobNs = nsPerIteration(job, n, rounds);
  const traceNs = nsPerIteration(trace, n, rounds);
  if (Number.isNaN(consumed())) throw new Error('not a number');
  return {
    rows: [
      row('one clock read', 'ns', clockNs),
      row('one record in a histogram', 'ns', recordNs),
      row('three records and a count', 'ns', jobNs),
      row('one job in the trace', 'ns', traceNs),
      row(
        'a job: those two and one clock read',
        'ns',
        jobNs.map((value, i) => value + traceNs[i] + clockNs[i]),
      ),
    ],
    notes: ['a worker that goes from job to job reads the clock once each; the submit reads it once more'],
  };
}
