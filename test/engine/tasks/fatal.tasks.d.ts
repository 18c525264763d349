import type { ScalarField, Task } from 'frame-deadline';

type None = Record<never, never>;
type Id = { id: ScalarField<'u32'> };
export declare const exit: Task<{ code: ScalarField<'u32'> }, None>;
export declare const exitOnce: Task<Id, Id>;
export declare const exitAlways: Task<Id, None>;
export declare const exhaust: Task<None, None>;
export declare const fine: Task<Id, { id: ScalarField<'u32'>; worker: ScalarField<'u8'> }>;
export declare const hold: Task<Id, Id>;
