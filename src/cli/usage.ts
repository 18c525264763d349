import { FrameDeadlineError } from '../base/errors.js';
import { printable } from './printable.js';

export const HELP = `frame-deadline: a real-time frame-deadline task scheduler

Usage: frame-deadline <command> [options]

Commands:
  demo     sound, input and picture in one process, with their deadlines counted
  doctor   what this machine and user can get, measured, and how to get more
  top      the lanes, workers and frame loops of a running app
  report   an HTML file of what was measured
  compare  two runs side by side, with the differences that matter marked

Options:
  --help     this text, or that of a command
  --version  the version

Exit status: 0 it ran, 1 it failed, 2 wrong use, 3 the app watched by top ended,
130 ended by Ctrl-C.
`;

/** @returns an error for wrong use of the command line: exit status 2 */
export function usageError(message: string, command?: string): FrameDeadlineError {
  const hint = `see \`frame-deadline ${command === undefined ? '' : `${command} `}--help\``;
  return new FrameDeadlineError('USAGE', `${message}; ${hint}`);
}

/** Exit status for an error. */
export function exitStatusOf(error: unknown): number {
  return error instanceof FrameDeadlineError && error.code === 'USAGE' ? 2 : 1;
}

/**
 * One line for standard error, printable: messages quote files and what a socket sent. What has no code is a fault of
 * ours: its stack is shown too.
 */
export function errorText(error: unknown): string {
  if (error instanceof FrameDeadlineError) return `frame-deadline: ${printable(error.message.replaceAll('\n', ' '))}\n`;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `frame-deadline: ${text.split('\n').map(printable).join('\n')}\n`;
}
