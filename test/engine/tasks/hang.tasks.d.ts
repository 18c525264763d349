import type { ScalarField, Task } from 'frame-deadline';

type None = Record<never, never>;
type Id = { id: ScalarField<'u32'> };
export declare const loop0: Task<None, None>;
export declare const loop1: Task<None, None>;
export declare const loop2: Task<None, None>;
export declare const wait: Task<None, None>;
export declare const pipe: Task<None, None>;
export declare const comeBack: Task<Id, Id>;
export declare const hangOnce: Task<Id, Id>;
export declare const fine: Task<Id, { id: ScalarField<'u32'>; worker: ScalarField<'u32'> }>;
export declare const exit: Task<None, None>;
export declare const throwLater: Task<None, None>;
export declare const rejectLater: Task<None, None>;
export declare const tick: Task<None, None>;
