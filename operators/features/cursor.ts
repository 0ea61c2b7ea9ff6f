import type { EventBlock } from './eventBlock.ts';
import { CURSOR_DOUBLES } from './kernel/kernelDriver.ts';
import type { Chunk, HeadPlace } from './reservoirHead.ts';
import type { SealedBlock } from './sealedEvents.ts';

// Integers of a cursor in the driver's memory (assembly/edges.ts), after its position.
const BLOCK = 2;
const INDEX = 3;
const IS_SEALED = 4;
const WAITING = 5;

/** A place between events: before the first that has not crossed an edge. It may stand at a block's end. */
export class Cursor implements HeadPlace {
  readonly #position: Float64Array;
  readonly #integers: Int32Array;
  #chunk: Chunk | null = null;
  #sealed: SealedBlock | null = null;

  /** The memory of all cursors, and which of them this is. */
  constructor(cursors: Float64Array, number: number) {
    this.#position = cursors.subarray(number * CURSOR_DOUBLES, (number + 1) * CURSOR_DOUBLES);
    const { buffer, byteOffset } = this.#position;
    this.#integers = new Int32Array(buffer, byteOffset, CURSOR_DOUBLES * 2);
  }

  /** Events crossed since the first of all. */
  get position(): number {
    return this.#position[0]!;
  }

  set position(position: number) {
    this.#position[0] = position;
  }

  get index(): number {
    return this.#integers[INDEX]!;
  }

  set index(index: number) {
    this.#integers[INDEX] = index;
  }

  /** Events that are due and wait: while there are any, the kernel has none cross at this edge. */
  set waiting(events: number) {
    this.#integers[WAITING] = events;
  }

  /** One of these is null. */
  get chunk(): Chunk | null {
    return this.#chunk;
  }

  set chunk(chunk: Chunk | null) {
    this.#chunk = chunk;
    if (chunk !== null) this.#stand(chunk, 0);
  }

  get sealed(): SealedBlock | null {
    return this.#sealed;
  }

  set sealed(sealed: SealedBlock | null) {
    this.#sealed = sealed;
    if (sealed !== null) this.#stand(sealed, 1);
  }

  get block(): EventBlock {
    const block = this.#chunk ?? this.#sealed;
    if (block === null) throw new Error('SLUICE_STATE_CURSOR: a cursor stands nowhere');
    return block;
  }

  #stand({ address }: EventBlock, isSealed: number): void {
    this.#integers[BLOCK] = address;
    this.#integers[IS_SEALED] = isSealed;
  }
}
