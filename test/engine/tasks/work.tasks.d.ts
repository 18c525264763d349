import type { ArrayField, BytesField, ScalarField, Task } from 'frame-deadline';

type U8 = ScalarField<'u8'>;
type U32 = ScalarField<'u32'>;
type I32 = ScalarField<'i32'>;
type F64 = ScalarField<'f64'>;
type Echo = { data: BytesField; small: U8; whole: I32; values: ArrayField<'u32'> };

export declare const sum: Task<
  { id: U32; frame: U32; before: U32; count: U32; values: ArrayField<'u32'>; complement: U32 },
  { id: U32; checksum: U32; tally: U32 }
>;
export declare const gate: Task<{ number: U32 }, { number: U32 }>;
export declare const spin: Task<{ us: U32 }, { spunUs: F64 }>;
export declare const untilCancelled: Task<Record<never, never>, { cancelled: U8 }>;
export declare const stamp: Task<{ spinUs: U32 }, { monotonicUs: F64; leftUs: F64; worker: I32 }>;
export declare const echo: Task<Echo, Echo>;
export declare const nothing: Task<Record<never, never>, Record<never, never>>;
export declare const told: Task<Record<never, never>, { frame: I32; period: I32; leftUs: F64; lane: BytesField }>;
