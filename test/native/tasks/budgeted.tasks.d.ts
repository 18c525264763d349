import type { ScalarField, Task } from 'frame-deadline';

type Output = { policy: ScalarField<'u32'>; realtimePriority: ScalarField<'u32'> };
export declare const bounded: Task<Record<never, never>, Output>;
