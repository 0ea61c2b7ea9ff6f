import { basename, join } from 'node:path';
import { ItemsInput } from '../../operators/itemsInput.ts';
import { SavedStateError, type StateArray } from '../../operators/savedState.ts';
import { createSharedMemory } from '../../operators/sharedMemory.ts';
import { ARRAYS, FILE_TAG, FIRST_ARRAY_TAG, MEMORY_TAG, NUMBER_TAG, TEXT_TAG } from './snapshotFormat.ts';

const LENGTH_BYTES = 4;
const NUMBER_BYTES = 8;

type Item = number | string | StateArray | WebAssembly.Memory | File;

/** A file beside the snapshot's. */
class File {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A snapshot's items: put together by `take` from payloads that may end anywhere in one, then given out once, in order. What
 * is given out is not held any more. `take` throws RangeError for what no writer wrote.
 */
export class SnapshotItems extends ItemsInput {
  readonly #folder: string;
  readonly #items: (Item | null)[] = [];
  #given = 0;
  /** The item under way: 0 before its tag has come. */
  #tag = 0;
  readonly #head = Buffer.alloc(NUMBER_BYTES);
  #headLength = 0;
  /** Null until its length is known. */
  #content: Uint8Array | null = null;
  /** The content's memory: shared for a shared memory's, else of its own. */
  #memory: WebAssembly.Memory | ArrayBuffer = new ArrayBuffer(0);
  #contentLength = 0;

  /** `folder` is that of the files that the state refers to. */
  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  /** No item is under way. */
  get isComplete(): boolean {
    return this.#tag === 0;
  }

  /** `bytesLeft` are those that the file still has: what an item may have at most. */
  take(payload: Buffer, bytesLeft: number): void {
    for (let at = 0; at < payload.length;) {
      if (this.#tag === 0) {
        this.#tag = payload[at]!;
        at += 1;
      } else if (this.#content === null) {
        at += this.#takeHead(payload, at, bytesLeft);
      } else {
        const length = Math.min(payload.length - at, this.#content.length - this.#contentLength);
        this.#content.set(payload.subarray(at, at + length), this.#contentLength);
        this.#contentLength += length;
        at += length;
        this.#endContent(this.#content);
      }
    }
  }

  get isAtEnd(): boolean {
    return this.#given === this.#items.length;
  }

  file(): string {
    return join(this.#folder, this.next((item) => item instanceof File).name);
  }

  #takeHead(payload: Buffer, at: number, bytesLeft: number): number {
    const wanted = this.#tag === NUMBER_TAG ? NUMBER_BYTES : LENGTH_BYTES;
    const taken = payload.copy(this.#head, this.#headLength, at, at + wanted - this.#headLength);
    this.#headLength += taken;
    if (this.#headLength < wanted) return taken;
    this.#headLength = 0;
    if (this.#tag === NUMBER_TAG) {
      this.#end(this.#head.readDoubleLE(0));
      return taken;
    }
    const length = this.#head.readUInt32LE(0);
    if (length > bytesLeft) throw new RangeError(`an item of ${length} bytes where ${bytesLeft} are left`);
    this.#memory = this.#tag === MEMORY_TAG ? createSharedMemory(length) : new ArrayBuffer(length);
    this.#content = new Uint8Array(this.#memory instanceof ArrayBuffer ? this.#memory : this.#memory.buffer, 0, length);
    this.#endContent(this.#content);
    return taken;
  }

  #endContent(content: Uint8Array): void {
    if (this.#contentLength < content.length) return;
    this.#content = null;
    this.#contentLength = 0;
    const memory = this.#memory;
    this.#memory = new ArrayBuffer(0);
    if (!(memory instanceof ArrayBuffer)) {
      this.#end(memory);
      return;
    }
    if (this.#tag === TEXT_TAG) {
      this.#end(Buffer.from(content).toString());
      return;
    }
    if (this.#tag === FILE_TAG) {
      const name = Buffer.from(content).toString();
      if (name === '' || basename(name) !== name) throw new RangeError('a file that is not beside the snapshot');
      this.#end(new File(name));
      return;
    }
    const array = ARRAYS[this.#tag - FIRST_ARRAY_TAG];
    if (array === undefined) throw new RangeError(`an item of an unknown kind, ${this.#tag}`);
    this.#end(new array(memory));
  }

  #end(item: Item): void {
    this.#items.push(item);
    this.#tag = 0;
  }

  protected override next<T>(isWanted: (item: unknown) => item is T): T {
    const item = this.#items[this.#given];
    if (!isWanted(item)) throw new SavedStateError(`item ${this.#given} is of another kind`);
    this.#items[this.#given] = null;
    this.#given += 1;
    return item;
  }
}
