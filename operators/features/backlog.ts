import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';
import { BacklogSegment } from './backlogSegment.ts';
import type { EdgeCrossing } from './edgeCrossing.ts';
import type { EdgeProgram } from './edgeProgram.ts';
import { EventBlock } from './eventBlock.ts';
import { AMOUNT, TIME } from './eventNumbers.ts';
import type { KeyProgram } from './keyPrograms.ts';
import type { Cursor } from './cursor.ts';
import type { Reservoir } from './reservoir.ts';
import type { SlotIndex } from './slotIndex.ts';

/** Segments that get an index in one step; the events of others are compared one by one. */
const INDEXED_PER_STEP = 8;

/**
 * The events that time has moved over one edge faster than they could cross it: they have left the cursor behind, yet the rows
 * of their keys do not know. Each waits, oldest first. Whatever a key is asked for, it is *settled* before: its events among
 * those that wait cross for this one key. So every answer is that of a state without a backlog.
 */
export class Backlog implements SavedState {
  readonly #edge: EdgeProgram;
  readonly #keys: readonly KeyProgram[];
  /** Of the keys. */
  readonly #columns: Int32Array;
  readonly #crossing: EdgeCrossing;
  readonly #event: Float64Array;
  readonly #reservoir: Reservoir;
  #segments: BacklogSegment[] = [];
  #count = 0;

  constructor(
    edge: EdgeProgram,
    keys: readonly KeyProgram[],
    crossing: EdgeCrossing,
    event: Float64Array,
    reservoir: Reservoir,
  ) {
    this.#edge = edge;
    this.#keys = keys;
    this.#columns = Int32Array.from(keys, ({ column }) => column);
    this.#crossing = crossing;
    this.#event = event;
    this.#reservoir = reservoir;
  }

  /** Columns of the keys to which something happens at the edge. */
  get columns(): Int32Array {
    return this.#columns;
  }

  /** Events that wait. */
  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#segments.reduce((bytes, segment) => bytes + segment.byteLength, 0);
  }

  /** The block of the first event, and its place there. */
  get firstBlock(): EventBlock {
    return this.#segments[0]!.block;
  }

  get firstIndex(): number {
    return this.#segments[0]!.from;
  }

  /** Takes the events from the one at which the cursor stands up to `end` of its block: they come after those that wait. */
  push(cursor: Cursor, end: number, index: SlotIndex | null): void {
    const { sealed, index: from } = cursor;
    this.#count += end - from;
    if (sealed === null) {
      this.#copy(cursor.block, from, end);
      return;
    }
    let segment = this.#segments.at(-1);
    if (segment?.sealed !== sealed || segment.end !== from) {
      this.#reservoir.retain(sealed);
      segment = BacklogSegment.ofSealed(sealed, from, this.#columns);
      this.#segments.push(segment);
    }
    segment.end = end;
    if (index !== null) segment.setIndex(index, sealed.count);
  }

  /** Has the events that wait cross for the keys with these slots: of each key in their order. */
  settle(slots: Int32Array): void {
    const segments = this.#segments;
    const keys = this.#keys;
    for (let place = 0, built = 0; place < segments.length && built < INDEXED_PER_STEP; place++) {
      if (!segments[place]!.needsIndex) continue;
      segments[place]!.buildIndex();
      built += 1;
    }
    for (let key = 0; key < keys.length; key++) {
      const { column, program } = keys[key]!;
      const slot = slots[column]!;
      if (slot < 0) continue;
      for (let place = 0; place < segments.length; place++) {
        const segment = segments[place]!;
        let event = segment.settleNext(key, slot, 0);
        for (; event >= 0; event = segment.settleNext(key, slot, event + 1)) this.#cross(program, segment, event);
      }
    }
  }

  /** Has the first event cross for all keys that are not settled. */
  crossFirst(): void {
    const segment = this.#segments[0]!;
    const { settled, from } = segment;
    const keys = this.#keys.length;
    const marksAt = from * keys;
    let marks = 0;
    for (let key = 0; key < keys; key++) marks += settled[marksAt + key]!;
    if (marks === 0) {
      this.#cross(this.#edge, segment, from);
      return;
    }
    for (let key = 0; key < keys; key++)
      if (settled[marksAt + key] === 0) this.#cross(this.#keys[key]!.program, segment, from);
  }

  /** Lets the first event go. */
  dropFirst(): void {
    const segment = this.#segments[0]!;
    segment.from += 1;
    this.#count -= 1;
    if (segment.from < segment.end) return;
    if (segment.sealed !== null) this.#reservoir.release(segment.sealed);
    this.#segments.shift();
  }

  /** The events in one block of their number, then their marks. */
  save(output: StateOutput): void {
    const count = this.#count;
    const keys = this.#keys.length;
    output.number(count);
    if (count === 0) return;
    const events = new EventBlock(count, this.#reservoir.wordCount);
    const settled = new Uint8Array(count * keys);
    for (const { block, settled: marks, from, end } of this.#segments) {
      settled.set(marks.subarray(from * keys, end * keys), events.count * keys);
      events.appendAll(block, from, end);
    }
    for (let event = 0; event < count; event++) this.#forgetFacts(events, event, settled);
    output.array(events.bytes);
    output.array(settled);
  }

  /** What was held of sealed blocks before is void. */
  load(input: StateInput): void {
    this.#segments = [];
    this.#count = input.number();
    const count = this.#count;
    if (count === 0) return;
    const keys = this.#keys.length;
    const events = new EventBlock(count, this.#reservoir.wordCount);
    events.load(input.uint8Array(), count);
    const settled = input.uint8Array();
    if (settled.length !== count * keys) throw new SavedStateError(`${settled.length} marks of ${count} events`);
    this.#copy(events, 0, count);
    let at = 0;
    for (const segment of this.#segments) {
      segment.settled.set(settled.subarray(at * keys, (at + segment.end) * keys));
      at += segment.end;
    }
  }

  /**
   * What is known of an event that is settled for all its keys matters no more. Where its block lies decides whether it was learnt, so
   * it must not be saved.
   */
  #forgetFacts(events: EventBlock, event: number, settled: Uint8Array): void {
    const { words, wordCount } = events;
    const keys = this.#columns.length;
    for (let key = 0; key < keys; key++)
      if (settled[event * keys + key] === 0 && words[event * wordCount + this.#columns[key]!]! >= 0) return;
    events.facts[event] = 0;
    if (this.#reservoir.hasRefunds) events.setRefunded(event, 0);
  }

  #cross(program: EdgeProgram, { block }: BacklogSegment, index: number): void {
    this.#event[TIME] = block.timeMs(index);
    this.#event[AMOUNT] = block.amountMinor(index);
    this.#crossing.run(program, block.words, index * block.wordCount, block.facts[index]!);
  }

  #copy(block: EventBlock, from: number, end: number): void {
    for (let start = from; start < end;) {
      let segment = this.#segments.at(-1);
      if (segment === undefined || segment.sealed !== null || segment.end === segment.block.capacity) {
        segment = BacklogSegment.ofCopies(block.wordCount, this.#columns);
        this.#segments.push(segment);
      }
      const next = Math.min(end, start + segment.block.capacity - segment.end);
      segment.block.appendAll(block, start, next);
      segment.end = segment.block.count;
      start = next;
    }
  }
}
