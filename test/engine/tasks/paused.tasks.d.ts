import type { Task } from 'frame-deadline';

// biome-ignore lint/complexity/noBannedTypes: no fields
export declare const tick: Task<{}, {}>;
// biome-ignore lint/complexity/noBannedTypes: no fields
export declare const spin: Task<{}, {}>;
// biome-ignore lint/complexity/noBannedTypes: no fields
export declare const fine: Task<{}, {}>;
