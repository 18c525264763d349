import type { ScalarField, Task } from 'frame-deadline';

/** What reload.test.ts writes. */
type None = Record<never, never>;
type U32 = ScalarField<'u32'>;
export declare const stamp: Task<{ id: U32 }, { id: U32; version: U32; count: U32 }>;
export declare const spin: Task<{ us: U32 }, { version: U32 }>;
export declare const hold: Task<None, { version: U32 }>;
export declare const exit: Task<None, None>;
