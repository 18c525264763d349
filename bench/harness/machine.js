import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';

/** What the figures were taken on. */
export function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
  };
}

/** CPU time of the whole machine in clock ticks, as /proc/stat counts it; null where there is none. */
function cpuTicks() {
  try {
    const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].split(/\s+/);
    const ticks = fields.slice(0, 8).map(Number);
    return { total: ticks.reduce((sum, value) => sum + value, 0), idle: ticks[3], steal: ticks[7] ?? 0 };
  } catch {
    return null;
  }
}

/**
 * Watches the machine beside a bench. `stop()` tells how long it took, and how disturbed the machine was; to it is told
 * how much CPU time, in milliseconds, processes took that belong to the bench.
 */
export function watchMachine() {
  const before = cpuTicks();
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  return {
    stop(helpersCpuMs = 0) {
      const after = cpuTicks();
      const own = process.cpuUsage(startCpu);
      const elapsedMs = performance.now() - startMs;
      const ownMs = (own.user + own.system) / 1000 + helpersCpuMs;
      const total = before === null || after === null ? 0 : after.total - before.total;
      const share = (of) => (total === 0 ? null : (100 * of) / total);
      const busy = total === 0 ? null : share(total - (after.idle - before.idle));
      return {
        tookS: elapsedMs / 1000,
        load1: loadavg()[0],
        stealPercent: total === 0 ? null : share(after.steal - before.steal),
        // of the machine's CPU time, not spent by this process or its helpers: what others took
        othersPercent: busy === null ? null : Math.max(0, busy - (100 * ownMs) / elapsedMs / machine().cores),
      };
    },
  };
}
