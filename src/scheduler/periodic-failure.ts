import { errorTextOf } from '../telemetry/error-ring.js';

/** Prints the first failure of a periodic task, with its stack, on the thread that ran it. Blocks while it prints. */
export function printPeriodicFailure(taskName: string, period: number, thrown: unknown): void {
  console.error(periodicFailureText(taskName, period, thrown));
}

/** Never throws. */
export function periodicFailureText(taskName: string, period: number, thrown: unknown): string {
  const { name, message, stack } = errorTextOf(thrown);
  const what = name === 'NonError' ? message : `${name}: ${message}`;
  const frames = /\n\s+at .*$/s.exec(stack ?? '')?.[0] ?? '';
  return `frame-deadline: ${taskName} threw ${what} (in period ${period}); further ones are counted as failed${frames}`;
}
