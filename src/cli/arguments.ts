import { usageError } from './usage.js';

/** What `parse`, which calls Node's `parseArgs`, returns. @throws FrameDeadlineError USAGE for what it throws */
export function parsedOrUsage<T>(command: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    // Node's messages name the option and go on about what else one could do
    const message = error instanceof Error ? error.message.split('. ')[0]! : String(error);
    throw usageError(message.replace(/\.$/, ''), command);
  }
}

/** For `parseArgs`: `--seconds -1` is then a number out of range, not an option that is missing its value. */
export function joinNegatives(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1);
    if (before !== undefined && /^--[^=]+$/.test(before) && /^-[\d.]/.test(arg)) joined[joined.length - 1] += `=${arg}`;
    else joined.push(arg);
  }
  return joined;
}
