#!/usr/bin/env node
import { Interrupt } from './interrupt.js';

// before the rest is even imported: Ctrl-C at any moment
const interrupt = new Interrupt();
// a reader that went away, as in `| head`, is no reason to stop
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

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
        throw usageError('no command given, `demo` or `doctor` expected');
      default:
        if (command.startsWith('-'))
          throw usageError(`no command given before ${command}, \`demo\` or \`doctor\` expected`);
        throw usageError(`unknown command ${JSON.stringify(command)}, \`demo\` or \`doctor\` expected`);
    }
  } catch (error) {
    process.stderr.write(errorText(error));
    return exitStatusOf(error);
  }
}
