import { readdirSync, readFileSync } from 'node:fs';

/**
 * Memory in bytes, threads and open files of a process, as Linux tells in /proc. All null where there is no /proc (macOS,
 * Windows) or the process is gone.
 */
export function readProcess(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const number = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
    const files = readdirSync(`/proc/${pid}/fd`).length;
    return { rss: number('VmRSS') * 1024, threads: number('Threads'), files };
  } catch {
    return { rss: null, threads: null, files: null };
  }
}
