/** What crosses the control plane of a page: typed requests and answers by `postMessage`. All survive structured cloning. */

/** The first message to a thread. */
export interface Hello {
  readonly kind: 'hello';
  /** Name of the Web Lock that the thread holds for as long as it lives. */
  readonly lock: string;
  /** What the thread's owner wants it to know. */
  readonly setup: unknown;
}
export interface ClockQuestion {
  readonly kind: 'clock';
}
export interface ClockAlignment {
  readonly kind: 'align';
  readonly skewUs: number;
}
export interface Call {
  readonly kind: 'call';
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}
export type ToThread = Hello | ClockQuestion | ClockAlignment | Call;

/** An error as plain data: structured cloning keeps no codes. */
export interface PlainThrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  readonly code: string | null;
}

/** The module has been imported and the lock is held. */
export interface Ready {
  readonly kind: 'ready';
}
export interface ClockAnswer {
  readonly kind: 'clock';
  readonly ownUs: number;
}
export interface Answer {
  readonly kind: 'answer';
  readonly id: number;
  readonly result: unknown;
  readonly thrown: PlainThrown | null;
}
/** Something was thrown outside a call: the thread ends itself. */
export interface Dying {
  readonly kind: 'dying';
  readonly thrown: PlainThrown;
}
export type FromThread = Ready | ClockAnswer | Answer | Dying;
