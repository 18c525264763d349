import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { expose } from 'threads/worker';
import { describeValue, FrameDeadlineError } from './base/errors.js';
import type { Clock } from './base/time.js';
import { clockSince } from './host/node/clock.js';
import { nodeCollector } from './host/node/collector.js';
import { CpuFlightRecorder } from './host/node/cpu-profiler.js';
import { printDirectly } from './host/node/print.js';
import { NodeThreadControl } from './host/node/thread-control.js';
import { NodeThreadProbe } from './host/node/thread-probe.js';
import { NodeTimer } from './host/node/timer.js';
import type { ThreadReport } from './host/thread-control.js';
import type { AttachRequest, WorkerApi } from './scheduler/protocol.js';
import { WorkerService } from './scheduler/worker-service.js';
import type { EventLoop } from './worker/event-loop.js';
import type { FlightRecorder } from './worker/flight-recorder.js';
import type { Collector } from './worker/slack-collector.js';
import { measureWakeupFloorUs } from './worker/wakeup-floor.js';

// Entry of a worker thread on Node: imports the task modules, then serves its lanes until it is told to stop.

printDirectly();
process.setSourceMapsEnabled(true);
// `threads` swallows what is thrown outside a handler: let it end the worker, as Node does, so that it is noticed
process.removeAllListeners('uncaughtException');
process.removeAllListeners('unhandledRejection');

const service = new WorkerService(({ laneName, url }) => {
  if (!url.startsWith('file:') || existsSync(fileURLToPath(url))) return;
  throw new FrameDeadlineError(
    'TASK_MODULE_NOT_FOUND',
    `lane ${laneName}: there is no task module at ${describeValue(fileURLToPath(url))}`,
  );
});

const api: WorkerApi = {
  load: (modules) => service.load(modules),
  async attach(request) {
    const { collector, answer } = collectorOf(request);
    const thread = { ...new NodeThreadControl().apply(request.thread), ...answer };
    const clock = clockSince(request.epochUs);
    // after the priority is in force: it decides how late a park ends
    const wakeupFloorUs = measureWakeupFloorUs(clock);
    const probe = new NodeThreadProbe();
    const replacesSinceUs = request.replaces === true ? clock.nowUs() : null;
    const flightRecorder = flightRecorderOf(request, clock);
    const explainer = { probe, wakeupFloorUs, replacesSinceUs, flightRecorder };
    setImmediate(await service.serverOf(request, clock, explainer, eventLoopOf(clock), stop, collector));
    return { thread, probes: probe.reports };
  },
};

function flightRecorderOf({ profile, thread }: AttachRequest, clock: Clock): FlightRecorder | null {
  if (profile === null) return null;
  try {
    return new CpuFlightRecorder(profile, thread.name, clock);
  } catch (error) {
    console.error(`frame-deadline: no CPU profiles of ${thread.name}: ${(error as Error).message}`);
    return null;
  }
}

function collectorOf({ gc = 'auto' }: AttachRequest): {
  collector: Collector | null;
  answer: Pick<ThreadReport, 'gc'>;
} {
  if (gc === 'auto') return { collector: null, answer: {} };
  try {
    const collector = nodeCollector();
    const { mechanism } = collector;
    return { collector, answer: { gc: { requested: gc, effective: gc, mechanism, reason: null } } };
  } catch (error) {
    const reason = `this V8 gives no collector: ${(error as Error).message}`;
    return { collector: null, answer: { gc: { requested: gc, effective: 'auto', mechanism: null, reason } } };
  }
}

function eventLoopOf(clock: Clock): EventLoop {
  return {
    soon: setImmediate,
    waitAsync(words, at, value) {
      const wait = Atomics.waitAsync(words, at, value);
      return wait.async ? wait.value : null;
    },
    timer: new NodeTimer(clock),
  };
}

function stop(): void {
  parentPort!.close();
  process.exit(0);
}

expose(api as unknown as Record<string, (...args: never[]) => unknown>);
