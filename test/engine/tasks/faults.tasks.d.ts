import type { ScalarField, Task } from 'frame-deadline';

type Nothing = Record<never, never>;
type U32 = ScalarField<'u32'>;
export declare const compute: Task<{ us: U32 }, Nothing>;
export declare const litter: Task<{ objects: U32 }, Nothing>;
export declare const sleep: Task<{ us: U32 }, Nothing>;
export declare const exit: Task<Nothing, Nothing>;
