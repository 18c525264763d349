import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const entry = import.meta.resolve('frame-deadline');
const tasks = new URL('../native/tasks/budgeted.tasks.js', import.meta.url).href;
const script = `
  const { createScheduler } = await import(${JSON.stringify(entry)});
  const scheduler = await createScheduler({ lanes: { beat: { tasks: ${JSON.stringify(tasks)} } } });
  console.log(scheduler.describe().workers[0].state);
  await scheduler.close();`;

/** Node's own options and the script, as a module that is given to the main thread only. */
function stateWith(options: readonly string[]): string {
  const args = [...options, '--input-type=module', '--eval', script];
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
}

describe("threads start whatever Node's own options are", () => {
  it.each([
    ['none', []],
    ['of V8', ['--max-old-space-size=1024']],
    ['of V8 and of a thread', ['--expose-gc', '--no-warnings']],
    ['of the process, its value apart', ['--title', 'app', '--no-warnings']],
  ])('%s', (_, options) => {
    expect(stateWith(options)).toBe('serving');
  });

  it('those of the process, where the main thread runs a file', () => {
    const module = `data:text/javascript,${encodeURIComponent(script)}`;
    const starter = new URL('./node-options.start.js', import.meta.url);
    const args = ['--max-old-space-size=1024', '--expose-gc', fileURLToPath(starter), module];
    expect(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim()).toBe('serving');
  });
});
