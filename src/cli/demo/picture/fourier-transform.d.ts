/** The part of `fourier-transform` 2 that is used; the package ships no types. */
declare module 'fourier-transform' {
  /**
   * Magnitudes of the first N/2 bins of a real signal whose length N is a power of two, scaled so that a sine of
   * amplitude 1 on a bin gives 1. Allocates tables at the first call for each N, nothing afterwards if `output` is given.
   */
  export default function rfft(input: Float64Array, output: Float64Array): Float64Array;
}
