import type { ScalarField, Task } from 'frame-deadline';

type None = Record<never, never>;
type U32 = ScalarField<'u32'>;
export declare const tell: Task<{ id: U32 }, { received: U32; initialized: U32; bytes: U32 }>;
export declare const later: Task<{ ms: U32 }, None>;
export declare const spin: Task<{ us: U32 }, None>;
export declare const end: Task<None, None>;
export declare const tick: Task<None, { ticks: U32 }>;
