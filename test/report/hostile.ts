import type { Telemetry } from '../../src/telemetry/telemetry-data.js';

/** What somebody could call a task, or an error could say. */
export const HOSTILE_NAMES = [
  '</script><script>window.hacked=1</script>',
  '<img src=x onerror="window.hacked=1">',
  '"><svg onload=window.hacked=1>',
  "' onfocus='window.hacked=1' autofocus='",
  '<!--<script>',
  ']]>&amp;&#60;b&#62;',
  '\u202egnp.exe',
  'null\u0000byte\u001b[2J',
  `long ${'x'.repeat(3000)}`,
];

/** The telemetry with all lanes, tasks, workers and texts of that name, numbered where they must differ. */
export function withNames(telemetry: Telemetry, name: string): Telemetry {
  const probe = { source: name, reason: name };
  return {
    ...telemetry,
    environment: { runtime: name, platform: name, cpu: name, allowedCpus: [] },
    lanes: telemetry.lanes.map((lane) => ({ ...lane, name, tasks: lane.tasks.map((task) => ({ ...task, name })) })),
    workers: telemetry.workers.map((worker) => ({
      ...worker,
      name,
      lanes: [name],
      priority: name,
      policy: name,
      running: { lane: name, task: name, forUs: 1 },
      probes: { preempted: { source: null, reason: name }, gc: probe, onCpu: { source: null, reason: name } },
    })),
    misses: telemetry.misses.map((miss, n) => ({
      ...miss,
      lane: name,
      task: name,
      worker: name,
      segments: n % 2 === 0 ? miss.segments : { ...miss.segments, gcUs: null, preemptedUs: null },
      culprit: { kind: n % 3 === 0 ? 'mainThread' : 'job', lane: name, task: name, job: 1, frame: 2, executionUs: 3 },
    })),
  };
}
