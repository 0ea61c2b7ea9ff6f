/** How far the engine has come, for whoever waits until it has taken a record. */
export class TakenOffset {
  #offset = 0;
  readonly #waiting = new Set<{ readonly offset: number; readonly resolve: () => void }>();

  /** Everything below is taken. */
  get offset(): number {
    return this.#offset;
  }

  advance(offset: number): void {
    this.#offset = offset;
    for (const waiter of this.#waiting) {
      if (waiter.offset >= offset) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** Resolves once the record at `offset` is taken. */
  taken(offset: number): Promise<void> {
    if (offset < this.#offset) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.add({ offset, resolve });
    });
  }
}
