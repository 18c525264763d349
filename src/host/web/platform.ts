import { FrameDeadlineError } from '../../base/errors.js';
import type { Clock } from '../../base/time.js';
import { plainTopology } from '../cpu-topology.js';
import type { ControlledThread, Platform } from '../platform.js';
import { clockSince, newEpochUs, type PerformanceClock } from './clock.js';
import { clearedUp, spawnThread } from './control-plane.js';
import { PageFrames } from './display.js';
import { refusedMemoryLock, refusedReport } from './thread-report.js';
import { soon, WebTimer } from './timer.js';
import { pollWord } from './wait-async.js';

/** What every supervisor can be asked. */
interface Closable {
  close(graceMs: number): Promise<void>;
}

/** Browsers end a worker that does not end by itself within 2 s. */
const LONGEST_END_MS = 4000;

/** A page, an Electron renderer, or a Web Worker of one. `startSupervisor` makes the supervisor's Web Worker. */
export function webPlatform(startSupervisor: (name: string) => Worker, setup: unknown): Platform {
  // a browser does not number its CPUs: as many as it says, to derive workers from
  const allowedCpus = Array.from({ length: Math.max(1, navigator.hardwareConcurrency || 1) }, (_, cpu) => cpu);
  const isPage = typeof document !== 'undefined' && typeof requestAnimationFrame === 'function';
  return {
    name: 'web',
    canBlock: !isPage,
    allowedCpus,
    cpuTopology: plainTopology(allowedCpus),
    usableCpus: allowedCpus.length,
    environment: () => ({
      runtime: browserName(navigator.userAgent),
      platform: navigator.platform,
      cpu: null,
      allowedCpus,
    }),
    newEpochUs,
    clockSince,
    timer: (clock) => new WebTimer(clock),
    soon,
    // a page lives as long as its user wants
    hold() {},
    drop() {},
    spawnSupervisor: async <Api>(name: string, timeoutMs: number) => {
      requireSharedMemory();
      const thread = await spawnThread<Closable>(() => startSupervisor(name), name, setup, timeoutMs);
      const terminate = async (): Promise<void> => {
        // its workers first
        const late = new Promise((resolve) => setTimeout(resolve, LONGEST_END_MS));
        await Promise.race([thread.api.close(0).catch(() => {}), late]);
        await thread.terminate();
        if (!isPage) await clearedUp();
      };
      return { ...thread, terminate } as unknown as ControlledThread<Api>;
    },
    lockMemory: refusedMemoryLock,
    applyToThisThread: refusedReport,
    currentReport: (report) => report,
    ...(isPage ? { display: (clock: Clock) => new PageFrames(clock as PerformanceClock) } : {}),
    ...(typeof Atomics.waitAsync === 'function' ? {} : { waitAsync: pollWord }),
  };
}

/** @throws FrameDeadlineError SHARED_MEMORY_UNAVAILABLE where buffers cannot be shared with a worker */
function requireSharedMemory(): void {
  if (typeof SharedArrayBuffer === 'undefined' || !canBeShared()) {
    throw new FrameDeadlineError(
      'SHARED_MEMORY_UNAVAILABLE',
      `this page is not cross-origin isolated (crossOriginIsolated is ${String(globalThis.crossOriginIsolated)}), so it may not share memory with workers; send the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp with the page and its scripts, or use mode: 'inline'`,
    );
  }
}

function canBeShared(): boolean {
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(new SharedArrayBuffer(4));
    return true;
  } catch {
    return false;
  } finally {
    port1.close();
    port2.close();
  }
}

/** `Chrome 156.0.0.0`, `Electron 41.0.0`, `Firefox 150.0`, `Safari 19.0`; else the whole text. */
function browserName(userAgent: string): string {
  for (const name of ['Electron', 'Firefox', 'Edg', 'Chrome', 'Version']) {
    const version = new RegExp(`\\b${name}/([\\d.]+)`).exec(userAgent)?.[1];
    if (version !== undefined) return `${name === 'Version' ? 'Safari' : name} ${version}`;
  }
  return userAgent;
}
