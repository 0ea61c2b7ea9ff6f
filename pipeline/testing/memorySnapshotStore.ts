import type { StateInput, StateOutput } from '../../operators/savedState.ts';
import { MemoryState } from '../../operators/testing/memoryState.ts';
import { SnapshotError, type SnapshotHeader, type SnapshotStore } from '../ports.ts';

interface Stored {
  readonly header: SnapshotHeader;
  readonly state: MemoryState;
}

/** Snapshots in memory, for tests. */
export class MemorySnapshotStore implements SnapshotStore {
  readonly #snapshots = new Map<number, Stored>();
  readonly #keep: number;

  constructor(keep: number) {
    this.#keep = keep;
  }

  async offsets(): Promise<readonly number[]> {
    return [...this.#snapshots.keys()].sort((a, b) => b - a);
  }

  async header(offset: number): Promise<SnapshotHeader> {
    return this.#stored(offset).header;
  }

  async read(
    offset: number,
    onProgress: (share: number) => void = () => undefined,
  ): Promise<StateInput & { readonly isAtEnd: boolean }> {
    const { state } = this.#stored(offset);
    onProgress(1);
    return state.read();
  }

  async write(header: SnapshotHeader, _expectedBytes: number, save: (output: StateOutput) => void): Promise<number> {
    const state = new MemoryState();
    save(state);
    this.#snapshots.set(header.offset, { header: structuredClone(header), state });
    const offsets = await this.offsets();
    const kept = offsets.filter((offset) => offset <= header.offset).slice(0, this.#keep);
    for (const offset of offsets) if (!kept.includes(offset)) this.#snapshots.delete(offset);
    return 1;
  }

  #stored(offset: number): Stored {
    const stored = this.#snapshots.get(offset);
    if (stored === undefined) throw new SnapshotError('SLUICE_SNAPSHOT_DAMAGED', 'it is missing');
    return stored;
  }
}
