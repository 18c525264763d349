// For the tests.
export interface Shared {
  machine: string;
  needed: string[];
  versions: string[];
  exports: boolean;
}
export declare function readShared(file: string): Shared;
export declare function isNewer(a: string, b: string): boolean;
export declare function problemOf(file: string, target: { arch: string; libc: string }): string | null;
