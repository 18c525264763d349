import type { ScalarField, Task } from 'frame-deadline';

export declare const runaway: Task<{ ms: ScalarField<'u32'> }, Record<never, never>>;
export declare const nested: Task<
  Record<never, never>,
  { nicenessPlus20: ScalarField<'u32'>; policy: ScalarField<'u32'> }
>;
