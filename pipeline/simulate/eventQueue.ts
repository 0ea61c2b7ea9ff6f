interface Entry<T> {
  readonly timeMs: number;
  readonly sequence: number;
  readonly item: T;
}

/** Binary heap by time; items of the same time leave in the order in which they came. */
export class EventQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #sequence = 0;

  /** Time of the earliest item; Infinity when there is none. */
  get nextTimeMs(): number {
    return this.#heap[0]?.timeMs ?? Infinity;
  }

  push(timeMs: number, item: T): void {
    const entry: Entry<T> = { timeMs, sequence: this.#sequence++, item };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >>> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || isBefore(parent, entry)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  pop(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length === 0) return first.item;
    let index = 0;
    for (;;) {
      let childIndex = index * 2 + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
    return first.item;
  }
}

function isBefore(left: Entry<unknown>, right: Entry<unknown>): boolean {
  return left.timeMs < right.timeMs || (left.timeMs === right.timeMs && left.sequence < right.sequence);
}
