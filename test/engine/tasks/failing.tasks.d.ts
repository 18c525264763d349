import type { ScalarField, Task } from 'frame-deadline';

export declare const fail: Task<{ way: ScalarField<'u32'> }, { count: ScalarField<'u32'> }>;
export declare const fine: Task<{ x: ScalarField<'f64'> }, { x: ScalarField<'f64'> }>;
export declare const wayCount: number;
