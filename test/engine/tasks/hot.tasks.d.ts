import type { ScalarField, Task } from 'frame-deadline';

export declare function hotLoop(steps: number): void;
export declare const slow: Task<{ ms: ScalarField<'u32'> }, Record<never, never>>;
