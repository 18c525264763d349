import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

describe('examples/electron/main.js', () => {
  it('in a stand-in of Electron: prepares before ready, runs, quits, and leaves nothing that holds the process', () => {
    // one that waited for `ready` in its first turn would never end: Electron waits for the module
    const { stdout, stderr, status } = spawnSync(process.execPath, [file('run-main.js')], {
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    const { before, frames, children } = JSON.parse(stdout);
    expect(before).toEqual(['app.enableSandbox', 'registerSchemesAsPrivileged']);
    expect(frames).toBeGreaterThan(5);
    expect(children).toBe(1);
  });

  it.each([
    ['browser', 'BLOCKING_NOT_ALLOWED'],
    ['utility', true],
    // ELECTRON_RUN_AS_NODE
    [undefined, true],
  ])('a host may not block in the main process, and may elsewhere: %s', (type, expected) => {
    const script = `
      Object.defineProperty(process.versions, 'electron', { value: '41.7.1' });
      Object.defineProperty(process, 'type', { value: ${JSON.stringify(type)} });
      const { startLanes } = await import(${JSON.stringify(String(new URL('../../examples/electron/lanes.js', import.meta.url)))});
      const { scheduler } = await startLanes();
      const frame = scheduler.beginFrame();
      frame.submit(scheduler.lanes.render.tile, { number: 0, frame: 0, level: 0 });
      let told;
      try {
        told = frame.joinSync({ until: 'finished' });
      } catch (error) {
        told = error.code;
        await frame.join({ until: 'finished' });
      }
      console.log(JSON.stringify(told));
      await scheduler.close();`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      timeout: 50_000,
      cwd: file('../..'),
    });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(JSON.parse(stdout)).toBe(expected);
  });

  it('in plain Node: runs the lanes of the main process and prints their telemetry', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [file('../../examples/electron/main.js')], {
      encoding: 'utf8',
      timeout: 50_000,
      env: { ...process.env, EXAMPLE_SECONDS: '1' },
    });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    // how much of it is on time is the machine's affair
    const [first, ...lanes] = stdout.trimEnd().split('\n');
    expect(first).toMatch(/^without Electron: \d+ telemetry updates, [1-9]\d* frames$/);
    const jobs = lanes.map((line) => /^(\w+): (\d+) jobs on time, (\d+) missed, response p99 [\d.]+ µs$/.exec(line)!);
    expect(jobs.map(([, lane]) => lane)).toEqual(['audio', 'render']);
    for (const [, , onTime, missed] of jobs) expect(Number(onTime) + Number(missed)).toBeGreaterThan(0);
  });
});
