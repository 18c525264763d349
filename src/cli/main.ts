#!/usr/bin/env node
import { Interrupt } from './interrupt.js';

// before the rest is even imported: Ctrl-C at any moment
const interrupt = new Interrupt();
// a reader that went away, as in `| head`, is no reason to stop
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const COMMANDS = '`demo`, `doctor`, `top`, `report` or `compare`';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const { errorText, exitStatusOf, HELP, usageError } = await import('./usage.js');
  try {
    const [command, ...rest] = args;
    switch (command) {
      case 'demo': {
        const { demoCommand } = await import('./demo/command.js');
        return await demoCommand(rest, interrupt);
      }
      case 'doctor': {
        const { doctorCommand } = await import('./doctor/command.js');
        return await doctorCommand(rest, interrupt);
      }
      case 'top': {
        const { topCommand } = await import('./top/command.js');
        return await topCommand(rest, interrupt);
      }
      case 'report': {
        const { reportCommand } = await import('./report/command.js');
        return await reportCommand(rest);
      }
      case 'compare': {
        const { compareCommand } = await import('./compare/command.js');
        return await compareCommand(rest);
      }
      case '--help':
      case '-h':
      case 'help':
        process.stdout.write(HELP);
        return 0;
      case '--version':
      case '-v': {
        const { readFileSync } = await import('node:fs');
        const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
        process.stdout.write(`${(manifest as { version: string }).version}\n`);
        return 0;
      }
      case undefined:
        throw usageError(`no command given, ${COMMANDS} expected`);
      default:
        if (command.startsWith('-')) throw usageError(`no command given before ${command}, ${COMMANDS} expected`);
        throw usageError(`unknown command ${JSON.stringify(command)}, ${COMMANDS} expected`);
    }
  } catch (error) {
    process.stderr.write(errorText(error));
    return exitStatusOf(error);
  }
}
