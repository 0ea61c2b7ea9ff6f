import type { CorrectedState } from './corrections.ts';
import { EdgeCrossing } from './edgeCrossing.ts';
import { compileEdges, type EdgeProgram } from './edgeProgram.ts';
import { AMOUNT, ENGINE_TIME, TIME } from './eventNumbers.ts';
import { ROW_EVENTS } from './keyTable.ts';
import type { Cursor, Reservoir } from './reservoir.ts';

/**
 * The edges of all windows, each with its cursor over the reservoir. As time moves on events cross them: at each the event is
 * added to the rows of its keys, or taken off them, and at the last one of a key the key lets go of it.
 */
export class WindowEdges {
  readonly #state: CorrectedState;
  readonly #reservoir: Reservoir;
  /** By rising age; each has the reservoir's cursor of its number. */
  readonly programs: readonly EdgeProgram[];
  readonly #crossing: EdgeCrossing;
  /** Of the oldest edge; 0 where there is none. */
  readonly #oldestAgeMs: number;

  constructor(state: CorrectedState, reservoir: Reservoir) {
    this.#state = state;
    this.#reservoir = reservoir;
    this.programs = compileEdges(state.plan, state.tables);
    this.#crossing = new EdgeCrossing(state);
    this.#oldestAgeMs = this.programs.at(-1)?.ageMs ?? 0;
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

  /** Has the events cross whose time has come. */
  advance(): void {
    const edges = this.programs;
    const { cursors } = this.#reservoir;
    for (let index = 0; index < edges.length; index++) this.#advanceEdge(edges[index]!, cursors[index]!);
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
    for (const [index, edge] of this.programs.entries()) {
      const cursor = reservoir.cursors[index]!;
      if (cursor.position !== position) continue;
      if (cursor.index === cursor.block.count) reservoir.moveOn(cursor, Number.POSITIVE_INFINITY);
      this.#crossNext(edge, cursor);
    }
  }

  /** Forgets a key that holds no event. */
  release(column: number, slot: number): void {
    const { plan, tables, candidates, pairs } = this.#state;
    const table = tables[column]!;
    const row = table.segment(slot);
    const base = table.rowBase(slot);
    for (const part of plan.candidates) if (part.column === column) candidates.clear(row, base + part.at);
    for (const part of plan.distincts) if (part.column === column) pairs[part.pairs.index]!.clear(row, base + part.at);
    table.release(slot);
  }

  #advanceEdge(edge: EdgeProgram, cursor: Cursor): void {
    const { event } = this.#state;
    const boundaryMs = event[ENGINE_TIME]! - edge.ageMs;
    do {
      const { block } = cursor;
      while (cursor.index < block.count) {
        if (block.timeMs(cursor.index) > boundaryMs) return;
        this.#crossNext(edge, cursor);
      }
    } while (this.#reservoir.moveOn(cursor, boundaryMs));
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
      const table = this.#state.tables[column]!;
      const row = table.segment(slot);
      const events = table.rowBase(slot) + ROW_EVENTS;
      row[events]! -= 1;
      if (row[events] === 0) this.release(column, slot);
    }
  }
}
