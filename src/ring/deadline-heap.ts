/**
 * A binary heap of ring positions by deadline (ties: lower position first), for one thread: its own memory, no shared
 * word. `push` and `pop` take O(log size). Stamps and positions are compared by signed difference, so both may wrap.
 */
export class DeadlineHeap {
  size: number;
  private readonly positions: Int32Array;
  private readonly deadlinesUs: Int32Array;

  /** @param capacity entries that it holds at most */
  constructor(capacity: number) {
    this.size = 0;
    this.positions = new Int32Array(capacity);
    this.deadlinesUs = new Int32Array(capacity);
  }

  get capacity(): number {
    return this.positions.length;
  }

  clear(): void {
    this.size = 0;
  }

  /** Position of the entry at `index`, in no order but for 0: the one with the earliest deadline. */
  positionAt(index: number): number {
    return this.positions[index]!;
  }

  deadlineUsAt(index: number): number {
    return this.deadlinesUs[index]!;
  }

  /** Adds an entry. The caller has seen that there is room. */
  push(position: number, deadlineUs: number): void {
    const { positions, deadlinesUs } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(deadlineUs, position, deadlinesUs[parent]!, positions[parent]!)) break;
      positions[at] = positions[parent]!;
      deadlinesUs[at] = deadlinesUs[parent]!;
      at = parent;
    }
    positions[at] = position;
    deadlinesUs[at] = deadlineUs;
  }

  /** Removes the entry with the earliest deadline. */
  pop(): void {
    const { positions, deadlinesUs } = this;
    const size = --this.size;
    const position = positions[size]!;
    const deadlineUs = deadlinesUs[size]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && isBefore(deadlinesUs[right]!, positions[right]!, deadlinesUs[child]!, positions[child]!)) {
        child = right;
      }
      if (!isBefore(deadlinesUs[child]!, positions[child]!, deadlineUs, position)) break;
      positions[at] = positions[child]!;
      deadlinesUs[at] = deadlinesUs[child]!;
      at = child;
    }
    positions[at] = position;
    deadlinesUs[at] = deadlineUs;
  }
}

function isBefore(deadlineUs: number, position: number, otherDeadlineUs: number, otherPosition: number): boolean {
  const later = (deadlineUs - otherDeadlineUs) | 0;
  return later < 0 || (later === 0 && ((position - otherPosition) | 0) < 0);
}
