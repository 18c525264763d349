export interface Holdings {
  threads: Record<string, number>;
  descriptors: Record<string, number>;
  resources: Record<string, number>;
  listeners: Record<string, number>;
  sharedBytes: number;
  heapBytes: number;
}
export class SharedMemoryWatch {
  bytes: number;
}
export function holdings(shared: SharedMemoryWatch): Holdings;
export function leaksSince(before: Holdings, now: Holdings): string[];
export function leaksAfter(before: Holdings, shared: SharedMemoryWatch, patienceMs?: number): Promise<string[]>;
