import type { ArrayField, BytesField, ScalarField, Task } from 'frame-deadline';

type U32 = ScalarField<'u32'>;

export declare const keep: Task<
  { what: U32; value: U32; values: ArrayField<'u32'>; text: BytesField },
  { value: U32; values: ArrayField<'f64'>; text: BytesField }
>;
