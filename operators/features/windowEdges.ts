import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { Backlog } from './backlog.ts';
import type { CorrectedState } from './corrections.ts';
import { EdgeCrossing } from './edgeCrossing.ts';
import { compileEdges, type EdgeProgram } from './edgeProgram.ts';
import { AMOUNT, ENGINE_TIME, TIME } from './eventNumbers.ts';
import { byteOffset } from './kernel/programWords.ts';
import { compileKeyPrograms } from './keyPrograms.ts';
import { ROW_EVENTS } from './keyTable.ts';
import { Lookahead } from './lookahead.ts';
import type { Cursor, Reservoir } from './reservoir.ts';

/** What each edge may spend in any step: more than comes in with it, so that none falls behind for ever. */
const LEAST_CROSSINGS = 2;

/**
 * The edges of all windows, each with its cursor over the reservoir. As time moves on events cross them: at each the event is
 * added to the rows of its keys, or taken off them, and at the last one of a key the key lets go of it.
 *
 * A step has a number of crossings to spend, youngest edge first. What else has become due waits in the backlogs, and later
 * steps cross it; the keys that a payment or a correction is about are settled before. An edge where events are left waiting has
 * spent no less than each older one may then spend, so no event crosses an edge while it waits at a younger one: it enters a
 * window before it leaves it, and the keys that it names are there until it has crossed the last edge that needs them.
 */
export class WindowEdges implements SavedState {
  readonly #state: CorrectedState;
  readonly #reservoir: Reservoir;
  /** By rising age; each has the reservoir's cursor of its number. */
  readonly programs: readonly EdgeProgram[];
  readonly #backlogs: readonly Backlog[];
  readonly #lookaheads: readonly Lookahead[];
  readonly #maxBacklogEvents: number;
  readonly #crossing: EdgeCrossing;
  /** Of the oldest edge; 0 where there is none. */
  readonly #oldestAgeMs: number;
  /** The key slots of an event that is to be corrected. */
  readonly #slots: Int32Array;
  #backlogEvents = 0;
  #hurriedCrossings = 0;
  /** Crossings that the step may still spend. */
  #left = 0;

  constructor(state: CorrectedState, reservoir: Reservoir, maxBacklogEvents: number) {
    const { plan, event } = state;
    this.#state = state;
    this.#reservoir = reservoir;
    this.programs = compileEdges(state);
    this.#crossing = new EdgeCrossing(state);
    const keys = compileKeyPrograms(state);
    this.#backlogs = this.programs.map(
      (edge, index) => new Backlog(edge, keys[index]!, this.#crossing, event, reservoir),
    );
    const maxBlocks = Math.ceil(maxBacklogEvents / reservoir.blockCapacity);
    this.#lookaheads = this.#backlogs.map(({ columns }) => new Lookahead(columns, reservoir, maxBlocks));
    this.#maxBacklogEvents = maxBacklogEvents;
    this.#oldestAgeMs = this.programs.at(-1)?.ageMs ?? 0;
    this.#slots = new Int32Array(plan.columns.length);
  }

  /** Events that are due at an edge and wait there: one that waits at several counts at each. */
  get backlogEvents(): number {
    return this.#backlogEvents;
  }

  /** Events that crossed beyond what a step may spend, because the backlogs were full. */
  get hurriedCrossings(): number {
    return this.#hurriedCrossings;
  }

  get backlogBytes(): number {
    return [...this.#backlogs, ...this.#lookaheads].reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  }

  /** Position of the first event that some window may still hold. */
  get oldestPosition(): number {
    return this.#reservoir.cursors.at(-1)?.position ?? 0;
  }

  /** Whether the event at hand (its TIME) has left every window, or there is none. */
  get isPastAll(): boolean {
    const { event } = this.#state;
    return event[TIME]! <= event[ENGINE_TIME]! - this.#oldestAgeMs;
  }

  /** Lists what the event at each edge will change, if it crosses the edge when time moves on to this. */
  note(timeMs: number): void {
    const { driver } = this.#state;
    const edges = this.programs;
    const { cursors } = this.#reservoir;
    for (let edge = 0; edge < edges.length; edge++) {
      const { ageMs, program } = edges[edge]!;
      const { block, index } = cursors[edge]!;
      if (index >= block.count || block.timeMs(index) > timeMs - ageMs) continue;
      driver.takeEvent(block.words, index * block.wordCount);
      driver.calls.noteEdge(program);
    }
  }

  /** Has at most `crossings` of the events cross whose time has come; puts the others into the backlogs. */
  advance(crossings: number): void {
    this.#left = crossings;
    const least = Math.min(crossings, LEAST_CROSSINGS);
    for (let index = 0; index < this.programs.length; index++) {
      if (this.#left < least) this.#left = least;
      if (this.#backlogs[index]!.count === 0 && !this.#crossDue(index)) continue;
      this.#defer(index);
      this.#left -= this.#crossBacklog(index, this.#left);
    }
    if (this.#reservoir.hasBursts) this.#lookAhead();
  }

  /** Has all events that wait cross for the keys with these slots (negative: none). */
  settle(slots: Int32Array): void {
    if (this.#backlogEvents === 0) return;
    for (const backlog of this.#backlogs) if (backlog.count > 0) backlog.settle(slots);
  }

  /** The same for the keys of the event whose words start at `at`. */
  settleEvent(words: Int32Array, at: number): void {
    if (this.#backlogEvents === 0) return;
    for (let column = 0; column < this.#slots.length; column++) this.#slots[column] = words[at + column]!;
    this.settle(this.#slots);
  }

  /** Has the event just inserted, the one at hand, cross those edges that its time has passed. Its words start at `at`. */
  crossInserted(words: Int32Array, at: number): void {
    const { event } = this.#state;
    const edges = this.programs;
    const reservoir = this.#reservoir;
    for (let index = 0; index < edges.length; index++) {
      const edge = edges[index]!;
      const cursor = reservoir.cursors[index]!;
      if (event[TIME]! > event[ENGINE_TIME]! - edge.ageMs) {
        reservoir.holdBack(cursor);
        continue;
      }
      reservoir.passInserted(cursor);
      this.#crossing.run(edge, words, at, 0);
    }
  }

  /** Takes the oldest event out of every window; it must be sealed. */
  forceOut(): void {
    const reservoir = this.#reservoir;
    const position = this.oldestPosition;
    let isNoneBefore = true;
    for (const [index, edge] of this.programs.entries()) {
      const cursor = reservoir.cursors[index]!;
      isNoneBefore &&= this.#backlogs[index]!.count === 0;
      if (cursor.position !== position) continue;
      if (cursor.index === cursor.block.count) reservoir.moveOn(cursor, Number.POSITIVE_INFINITY);
      if (isNoneBefore) this.#crossNext(edge, cursor);
      else this.#deferNext(index, cursor.index + 1);
    }
  }

  /** Forgets a key that holds no event. */
  release(column: number, slot: number): void {
    const { plan, tables, pairs } = this.#state;
    const table = tables[column]!;
    const { kernel } = table;
    const base = kernel.rowBase(slot);
    for (const part of plan.candidates) if (part.column === column) kernel.calls.clearList(byteOffset(base + part.at));
    for (const part of plan.distincts)
      if (part.column === column) pairs[part.pairs.index]!.clear(kernel.doubles, base + part.at);
    table.release(slot);
  }

  save(output: StateOutput): void {
    output.number(this.#hurriedCrossings);
    for (const backlog of this.#backlogs) backlog.save(output);
  }

  load(input: StateInput): void {
    this.#hurriedCrossings = input.number();
    this.#backlogEvents = 0;
    for (const backlog of this.#backlogs) {
      backlog.load(input);
      this.#backlogEvents += backlog.count;
    }
    for (const lookahead of this.#lookaheads) lookahead.clear();
  }

  #lookAhead(): void {
    const { cursors } = this.#reservoir;
    for (let index = 0; index < cursors.length; index++) this.#lookaheads[index]!.step(cursors[index]!);
  }

  /** Has events cross an edge where none waits, as many as may. Returns whether it left one that is due. */
  #crossDue(index: number): boolean {
    const { event } = this.#state;
    const edge = this.programs[index]!;
    const cursor = this.#reservoir.cursors[index]!;
    const dueMs = event[ENGINE_TIME]! - edge.ageMs;
    do {
      const { block } = cursor;
      while (cursor.index < block.count) {
        if (block.timeMs(cursor.index) > dueMs) return false;
        if (this.#left === 0) return true;
        this.#left -= 1;
        this.#crossNext(edge, cursor);
      }
    } while (this.#reservoir.moveOn(cursor, dueMs));
    return false;
  }

  /** Moves the events that are due at an edge to its backlog. */
  #defer(index: number): void {
    const cursor = this.#reservoir.cursors[index]!;
    const dueMs = this.#state.event[ENGINE_TIME]! - this.programs[index]!.ageMs;
    do {
      while (cursor.index < cursor.block.count) {
        const end = cursor.block.upperBound(dueMs);
        if (end <= cursor.index) return;
        this.#deferNext(index, end);
      }
    } while (this.#reservoir.moveOn(cursor, dueMs));
  }

  /** Moves events of a cursor's block, up to index `end` or as many as there is room for, to the backlog. */
  #deferNext(index: number, end: number): void {
    const cursor = this.#reservoir.cursors[index]!;
    const wanted = Math.min(end - cursor.index, this.#maxBacklogEvents);
    this.#hurry(this.#backlogEvents + wanted - this.#maxBacklogEvents);
    const slots = cursor.sealed === null ? null : this.#lookaheads[index]!.take(cursor.sealed);
    this.#backlogs[index]!.push(cursor, cursor.index + wanted, slots);
    this.#backlogEvents += wanted;
    cursor.index += wanted;
    cursor.position += wanted;
  }

  /** Has so many events that wait cross, youngest edge first, whatever the step may spend. */
  #hurry(crossings: number): void {
    if (crossings <= 0) return;
    let left = crossings;
    for (let index = 0; left > 0; index++) left -= this.#crossBacklog(index, left);
    this.#hurriedCrossings += crossings;
  }

  /** Has events that wait cross, at most so many. Returns how many did. */
  #crossBacklog(index: number, most: number): number {
    const backlog = this.#backlogs[index]!;
    const edge = this.programs[index]!;
    let crossed = 0;
    while (crossed < most && backlog.count > 0) {
      const { firstBlock, firstIndex } = backlog;
      backlog.crossFirst();
      this.#letGo(edge, firstBlock.words, firstIndex * firstBlock.wordCount);
      backlog.dropFirst();
      crossed += 1;
    }
    this.#backlogEvents -= crossed;
    return crossed;
  }

  /** Has the event at which a cursor stands cross its edge. */
  #crossNext(edge: EdgeProgram, cursor: Cursor): void {
    const { event } = this.#state;
    const { block, index } = cursor;
    const at = index * block.wordCount;
    event[TIME] = block.timeMs(index);
    event[AMOUNT] = block.amountMinor(index);
    this.#crossing.run(edge, block.words, at, block.facts[index]!);
    if (edge.releases.length > 0) this.#letGo(edge, block.words, at);
    cursor.index = index + 1;
    cursor.position += 1;
  }

  /** Takes the event off the keys that hold it no longer; a key that holds none goes. */
  #letGo(edge: EdgeProgram, words: Int32Array, at: number): void {
    for (let index = 0; index < edge.releases.length; index++) {
      const column = edge.releases[index]!;
      const slot = words[at + column]!;
      if (slot < 0) continue;
      const { kernel } = this.#state.tables[column]!;
      const row = kernel.doubles;
      const events = kernel.rowBase(slot) + ROW_EVENTS;
      row[events]! -= 1;
      if (row[events] === 0) this.release(column, slot);
    }
  }
}
