/** An argument of a call between threads that moves objects instead of copying them. */
export interface Transferring {
  /** What moves: each stands somewhere else in the argument as well. */
  readonly transferList?: readonly object[];
}

/** What an argument moves to the other thread. */
export function transferListOf(argument: unknown): readonly object[] {
  if (typeof argument !== 'object' || argument === null) return [];
  return (argument as Transferring).transferList ?? [];
}
