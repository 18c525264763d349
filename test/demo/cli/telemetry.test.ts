import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseHlog } from '../../../src/report/hlog.js';
import { checkReport } from './report-checks.js';
import { runCli, scratchDirectory, startCli, until } from './run-cli.js';

const directory = scratchDirectory();
const out = (name: string): string => join(directory, name);

describe('telemetry of a run', () => {
  it('goes into a trace and an HdrHistogram log if asked for, and no HTML if not wanted', async () => {
    const args = ['demo', '--seconds', '1.2', '--trace', '--hlog', '--no-report', '--out', out('files'), '--json'];
    const { status, stdout } = await runCli(args);
    expect(status).toBe(0);
    const report = checkReport(stdout);
    expect(report.files.html).toBeNull();
    expect(existsSync(join(out('files'), 'report.html'))).toBe(false);
    const trace = JSON.parse(readFileSync(report.files.trace!, 'utf8'));
    const jobs = trace.traceEvents.filter(
      (event: { ph: string; cat?: string }) => event.ph === 'X' || event.ph === 'B',
    );
    expect(jobs.length).toBeGreaterThan(report.lanes.audio.outcomes.onTime);
    const { intervals } = parseHlog(readFileSync(report.files.hlog!, 'utf8'));
    const executed = intervals.filter(({ tag }) => tag === 'audio.execution');
    const { onTime, late } = report.lanes.audio.outcomes;
    // all but what the rehearsal before the first interval ran
    expect(executed.length).toBeGreaterThan(0);
    const count = executed.reduce((sum, { histogram }) => sum + histogram.count, 0);
    expect(count).toBeGreaterThan(300);
    expect(count).toBeLessThanOrEqual(onTime + late);
  });

  it('is served while it runs, on the loopback address', async () => {
    const cli = startCli(['demo', '--seconds', '3', '--prometheus', '0', '--out', out('served')]);
    let printed = '';
    cli.child.stdout!.on('data', (chunk: string) => {
      printed += chunk;
    });
    const address = /metrics: (http:\/\/127\.0\.0\.1:\d+\/metrics)/;
    await until('the address', () => address.test(printed));
    const url = address.exec(printed)![1]!;
    let text = '';
    while (!text.includes('frame_deadline_')) text = await (await fetch(url)).text();
    expect(text).toMatch(/lane="audio"/);
    expect((await fetch(new URL('/', url))).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    cli.child.kill('SIGINT');
    expect((await cli.result).status).toBe(130);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('says that the port is in use, and does not begin', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const { status, stderr } = await runCli([
        'demo',
        '--seconds',
        '1',
        '--prometheus',
        String(port),
        '--out',
        out('taken'),
      ]);
      expect(status).toBe(1);
      expect(stderr).toContain(`cannot listen on port ${port} of 127.0.0.1 (it is in use)`);
      expect(stderr).toContain('PORT_UNAVAILABLE');
    } finally {
      server.close();
    }
  });
});
