// For the tests.
export declare const PREBUILDS: string;
export declare const MAX_GLIBC: string;
export interface LinuxPrebuild {
  arch: 'x64' | 'arm64';
  libc: 'glibc' | 'musl';
  file: string;
}
export declare const LINUX_PREBUILDS: readonly LinuxPrebuild[];
export declare function nodeDirectory(): string | undefined;
export declare function npmScript(): string | undefined;
