import { blockBytesAt } from './candidates.ts';
import type { CompiledCatalogue } from './catalogue.ts';
import { featureShares, type FeatureShare } from './featureShares.ts';
import { ROW_EVENTS, type KeyTable } from './keyTable.ts';
import { columnNames, measureMemory, type StateMemory, type MeasuredParts } from './stateMemory.ts';

/** Rows looked at in one step: each is a few cache misses, so that a step takes well under a millisecond. */
const ROWS_PER_STEP = 1_024;
/** Keys named of each entity. */
export const HOTTEST_KEYS = 10;

/** What a feature state holds, and for whom. */
export interface StateContents {
  readonly memory: StateMemory;
  readonly features: readonly FeatureShare[];
  readonly hottest: readonly HottestKeys[];
}

/** The keys of one entity, tuple or field with the most held events, the hottest first. */
export interface HottestKeys {
  readonly entity: string;
  readonly keys: readonly HotKey[];
}

export interface HotKey {
  /** A tuple has several. */
  readonly texts: readonly string[];
  readonly events: number;
}

/**
 * Goes over all rows of a feature state, a bounded number in each step, for what is not counted as events come: the hottest
 * keys, and whose the candidates are. Events may come between steps: each row is told as it was when it was looked at.
 */
export class StateSurvey {
  readonly #catalogue: CompiledCatalogue;
  readonly #parts: MeasuredParts;
  readonly #hottest: readonly HotKey[][];
  readonly #blockBytes: Float64Array;
  /** The plan's lists of candidates by column. */
  readonly #lists: readonly (readonly { readonly index: number; readonly at: number }[])[];
  #column = 0;
  #slot = 0;

  constructor(catalogue: CompiledCatalogue, parts: MeasuredParts) {
    this.#catalogue = catalogue;
    this.#parts = parts;
    this.#hottest = parts.tables.map(() => []);
    this.#blockBytes = new Float64Array(parts.plan.candidates.length);
    this.#lists = parts.tables.map((_, column) =>
      parts.plan.candidates.flatMap((part, index) => (part.column === column ? [{ index, at: part.at }] : [])),
    );
  }

  /** Looks at some more rows. Returns false when all have been looked at. */
  step(): boolean {
    const table = this.#parts.tables[this.#column];
    if (table === undefined) return false;
    const end = Math.min(this.#slot + ROWS_PER_STEP, table.kernel.slotCount);
    for (; this.#slot < end; this.#slot++) this.#look(table, this.#slot);
    if (end === table.kernel.slotCount) {
      this.#column += 1;
      this.#slot = 0;
    }
    return this.#column < this.#parts.tables.length;
  }

  /** The memory as it is now, and what the steps have found. */
  contents(): StateContents {
    const { plan } = this.#parts;
    const memory = measureMemory(this.#parts);
    const names = columnNames(plan);
    return {
      memory,
      features: featureShares(this.#catalogue.names, plan, memory, this.#blockBytes),
      hottest: this.#hottest.map((keys, column) => ({ entity: names[column]!, keys })),
    };
  }

  #look(table: KeyTable, slot: number): void {
    const { kernel } = table;
    const base = kernel.rowBase(slot);
    for (const { index, at } of this.#lists[this.#column]!) this.#blockBytes[index]! += blockBytesAt(kernel, base + at);

    const events = kernel.doubles[base + ROW_EVENTS]!;
    const hottest = this.#hottest[this.#column]!;
    if (hottest.length === HOTTEST_KEYS && events <= hottest[HOTTEST_KEYS - 1]!.events) return;
    // A row that is free holds another number there, but has no key.
    const members = this.#parts.plan.columns[this.#column]!.members.map((column) => this.#parts.tables[column]!);
    const texts = table.textsOf(slot, members);
    if (texts === null) return;
    const place = hottest.findIndex((other) => other.events < events);
    hottest.splice(place < 0 ? hottest.length : place, 0, { texts, events });
    if (hottest.length > HOTTEST_KEYS) hottest.pop();
  }
}
