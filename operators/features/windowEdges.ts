import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { Backlog } from './backlog.ts';
import type { CorrectedState } from './corrections.ts';
import { EdgeCrossing } from './edgeCrossing.ts';
import { compileEdges, type EdgeProgram } from './edgeProgram.ts';
import { AMOUNT, ENGINE_TIME, TIME } from './eventNumbers.ts';
import type { EdgeHost } from './kernel/kernelDriver.ts';
import { byteOffset, ProgramWords } from './kernel/programWords.ts';
import { compileKeyPrograms } from './keyPrograms.ts';
import { Lookahead } from './lookahead.ts';
import type { Cursor } from './cursor.ts';
import type { Reservoir } from './reservoir.ts';

/** What each edge may spend in any step: more than comes in with it, so that none falls behind for ever. */
const LEAST_CROSSINGS = 2;
const WORD_BYTES = 4;

/**
 * The edges of all windows, each with its cursor over the reservoir. As time moves on events cross them: at each the event is
 * added to the rows of its keys, or taken off them, and at the last one of a key the key lets go of it.
 *
 * A step has a number of crossings to spend, youngest edge first. What else has become due waits in the backlogs, and later
 * steps cross it; the keys that a payment or a correction is about are settled before. An edge where events are left waiting has
 * spent no less than each older one may then spend, so no event crosses an edge while it waits at a younger one: it enters a
 * window before it leaves it, and the keys that it names are there until it has crossed the last edge that needs them.
 */
export class WindowEdges implements EdgeHost, SavedState {
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
  /** Addresses of the edges' steps in the driver's program of all. */
  readonly #steps: readonly number[];
  /** The key slots of an event that is to be corrected. */
  readonly #slots: Int32Array;
  #backlogEvents = 0;
  #hurriedCrossings = 0;

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
    this.#steps = placePrograms(state, this.programs);
    state.driver.host = this;
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

  /** Has at most `crossings` of the events cross whose time has come; puts the others into the backlogs. */
  advance(crossings: number): void {
    this.#state.driver.calls.advance(crossings, Math.min(crossings, LEAST_CROSSINGS));
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

  crossWaiting(edge: number, left: number): number {
    this.#defer(edge);
    return left - this.#crossBacklog(edge, left);
  }

  moveOn(edge: number, boundaryMs: number): boolean {
    return this.#reservoir.moveOn(this.#reservoir.cursors[edge]!, boundaryMs);
  }

  holdBack(edge: number): void {
    this.#reservoir.holdBack(this.#reservoir.cursors[edge]!);
  }

  passInserted(edge: number): void {
    this.#reservoir.passInserted(this.#reservoir.cursors[edge]!);
  }

  crossOthers(edge: number, address: number, facts: number): void {
    this.#crossing.runOthers(this.programs[edge]!, this.#state.driver.words, address >>> 2, facts);
  }

  /** Takes the oldest event out of every window; it must be sealed. */
  forceOut(): void {
    const reservoir = this.#reservoir;
    const position = this.oldestPosition;
    let isNoneBefore = true;
    for (const [index, cursor] of reservoir.cursors.entries()) {
      isNoneBefore &&= this.#backlogs[index]!.count === 0;
      if (cursor.position !== position) continue;
      if (cursor.index === cursor.block.count) reservoir.moveOn(cursor, Number.POSITIVE_INFINITY);
      if (isNoneBefore) this.#crossNext(index, cursor);
      else this.#deferNext(index, cursor.index + 1);
    }
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
    this.#tellWaiting();
    for (const lookahead of this.#lookaheads) lookahead.clear();
  }

  #tellWaiting(): void {
    for (const [index, cursor] of this.#reservoir.cursors.entries()) cursor.waiting = this.#backlogs[index]!.count;
  }

  #lookAhead(): void {
    const { cursors } = this.#reservoir;
    for (let index = 0; index < cursors.length; index++) this.#lookaheads[index]!.step(cursors[index]!);
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
    cursor.waiting = this.#backlogs[index]!.count;
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
    let crossed = 0;
    while (crossed < most && backlog.count > 0) {
      const { firstBlock, firstIndex } = backlog;
      backlog.crossFirst();
      this.#letGo(index, firstBlock.words, firstIndex * firstBlock.wordCount);
      backlog.dropFirst();
      crossed += 1;
    }
    this.#backlogEvents -= crossed;
    this.#reservoir.cursors[index]!.waiting = backlog.count;
    return crossed;
  }

  /** Has the event at which a cursor stands cross its edge. */
  #crossNext(edge: number, cursor: Cursor): void {
    const { event } = this.#state;
    const { block, index } = cursor;
    const at = index * block.wordCount;
    event[TIME] = block.timeMs(index);
    event[AMOUNT] = block.amountMinor(index);
    this.#crossing.run(this.programs[edge]!, block.words, at, block.facts[index]!);
    this.#letGo(edge, block.words, at);
    cursor.index = index + 1;
    cursor.position += 1;
  }

  /** Takes the event off the keys that hold it no longer; a key that holds none goes. */
  #letGo(edge: number, words: Int32Array, at: number): void {
    if (this.programs[edge]!.releases.length === 0) return;
    const { driver } = this.#state;
    driver.takeEvent(words, at);
    driver.calls.letGoHanded(this.#steps[edge]!);
  }
}

/** Places the driver's programs of all edges and of all columns (assembly/edges.ts). Returns where each edge's step begins. */
function placePrograms({ plan, tables, driver, pairs }: CorrectedState, edges: readonly EdgeProgram[]): number[] {
  const steps = edges.map(({ ageMs, program, groups, releases }) => {
    const step = new ProgramWords();
    step.addDouble(ageMs);
    step.add(program, Number(groups.length > 0), releases.length, ...releases);
    return step.words;
  });
  const columns = new ProgramWords();
  for (const [column, { retentionMs }] of plan.columns.entries()) {
    const lists = plan.candidates.filter((part) => part.column === column).map(({ at }) => byteOffset(at));
    const distincts = plan.distincts
      .filter((part) => part.column === column)
      .flatMap((part) => [pairs[part.pairs.index]!.number, byteOffset(part.at)]);
    columns.addDouble(retentionMs);
    columns.add(tables[column]!.kernel.place([lists.length, distincts.length / 2, ...lists, ...distincts]));
  }
  const program = driver.place([edges.length, ...steps.flat()]);
  driver.calls.setPrograms(program, driver.place(columns.words));
  let at = program + WORD_BYTES;
  return steps.map(({ length }) => {
    const step = at;
    at += length * WORD_BYTES;
    return step;
  });
}
