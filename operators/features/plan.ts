import type { CompiledCatalogue, CompiledFeature, CompiledWhere } from './catalogue.ts';
import { readsAny, type FactsRead, type KnownFacts } from '../cel/facts.ts';
import { CANDIDATE_FIELDS } from './candidates.ts';
import type { FeatureLimits } from './featureState.ts';
import { allRead, factTable, FACT_STATES, type FactTable } from './factTable.ts';
import { AMOUNT_ITSELF, NO_NUMBER, WORDS_PER_DOUBLE } from './eventDoubles.ts';
import { HOUR_FIELDS } from './hourProfile.ts';
import { entityNames } from './keyField.ts';
import { REFUND_WORDS } from './refundWords.ts';
import type { ReservoirOptions } from './reservoir.ts';
import { coordinateFields } from './numberField.ts';
import { SHARE_FIELDS } from './valueShares.ts';

/**
 * How a catalogue is computed: what each key's row holds, and what happens to it when an event crosses an *edge*.
 *
 * An edge is an age: an event crosses it when the engine's time reaches its own time plus that age. A window of length
 * w and delay d is entered at the edge d and left at the edge d + w. Features that share (entity, window, delay, where)
 * share their parts.
 */
export interface FeaturePlan {
  readonly columns: readonly ColumnPlan[];
  readonly predicates: readonly PredicatePlan[];
  /** Bits an event needs: bit 0 is always set, then each predicate's. */
  readonly bitCount: number;
  /** By rising age. */
  readonly edgeAgesMs: readonly number[];
  readonly sums: readonly SumPart[];
  /** Sums of what is left of amounts after refunds and reversals. */
  readonly netSums: readonly SumPart[];
  readonly recencies: readonly RecencyPart[];
  readonly candidates: readonly CandidatePart[];
  readonly distincts: readonly DistinctPart[];
  readonly pairs: readonly PairsPlan[];
  readonly shares: readonly SharePart[];
  readonly hours: readonly HourPart[];
  readonly newest: readonly NewestPart[];
  /** Fields whose numbers events keep, beside the amount. */
  readonly doubles: readonly string[];
  readonly reads: readonly ReadPlan[];
  /** What predicates and net sums together read of what becomes known of events. */
  readonly facts: FactsRead;
  /** By FactTable and an event's state, which of a predicate's bits counts. */
  readonly factBits: Uint8Array;
}

/** One key of an event: an entity, a tuple of them, or a field that only distinct counts. */
export interface ColumnPlan {
  readonly fields: readonly string[];
  /** For a tuple: the columns of its fields, which come before it and are kept at least as long. */
  readonly members: readonly number[];
  /** Age at which an event stops counting for any of the key's windows. */
  retentionMs: number;
  /** Doubles in a key's row; the first is the number of events held. */
  rowLength: number;
}

/** A `where`. It has a bit for each combination of the facts that it reads: firstBit + factBits[factTable + state] counts. */
export interface PredicatePlan {
  readonly where: CompiledWhere | null;
  readonly firstBit: number;
  /** Where its table begins in the plan's factBits; 0 when it reads no facts. */
  readonly factTable: number;
  /** The facts that each bit stands for. */
  readonly combinations: readonly KnownFacts[];
}

export interface WindowPart {
  readonly column: number;
  readonly predicate: number;
  readonly enterAgeMs: number;
  readonly leaveAgeMs: number;
}

/** Additive aggregates of one window; a position of 0 means that nothing reads it. */
export interface SumPart extends WindowPart {
  countAt: number;
  /** Two lanes. */
  sumAt: number;
  /** Three lanes. */
  squaresAt: number;
}

/** Time of the newest event of windows, all entered at one age, that no fact can change. */
export interface RecencyPart extends WindowPart {
  readonly at: number;
}

/** Of windows all entered at one age. */
export interface CandidatePart extends WindowPart {
  /** Of the longest of the windows. */
  leaveAgeMs: number;
  readonly at: number;
  /** 1 keeps greatest amounts, -1 least; 0: only times matter. */
  readonly sign: number;
  /** What becomes known may take an event out again, so none is pruned. */
  readonly isWhole: boolean;
  /** For first, which of its numbers an event adds (EventDoubles); null for the amount of min and max. */
  readonly number: number | null;
}

export interface DistinctPart extends WindowPart {
  readonly pairs: PairsPlan;
  /** Its place among the windows of these pairs. */
  readonly window: number;
  readonly at: number;
}

/** How often the most common value stands in one window. */
export interface SharePart extends WindowPart {
  readonly valueColumn: number;
  /** Its place among the plan's shares. */
  readonly index: number;
  readonly at: number;
}

/** The events of one window by hour of the day. */
export interface HourPart extends WindowPart {
  readonly at: number;
}

/** [time, number, number] of the newest event of windows, all entered at one age. */
export interface NewestPart extends WindowPart {
  readonly at: number;
  /** Places in `doubles`, or AMOUNT_ITSELF; the second may be NO_NUMBER. */
  readonly first: number;
  readonly second: number;
}

/** Pairs of a key and a value, counted in several windows. */
export interface PairsPlan {
  readonly index: number;
  readonly column: number;
  readonly valueColumn: number;
  windows: number;
}

/** Where a feature's value is found. */
export type ReadPlan = {
  readonly column: number;
  readonly includeCurrent: boolean;
  readonly whenEmpty: number;
  readonly leaveAgeMs: number;
} & (
  | { readonly kind: 'count' | 'sum' | 'avg' | 'std' | 'zScore' | 'seen'; readonly part: SumPart }
  | { readonly kind: 'rate'; readonly part: SumPart; readonly all: SumPart }
  | { readonly kind: 'recency'; readonly part: RecencyPart }
  | { readonly kind: 'extreme' | 'newestCandidate' | 'oldest'; readonly part: CandidatePart }
  | { readonly kind: 'distinct'; readonly part: DistinctPart }
  | { readonly kind: 'newest' | 'geoVelocity'; readonly part: NewestPart }
  | { readonly kind: 'topShare'; readonly part: SharePart }
  | { readonly kind: 'hourDeviation'; readonly part: HourPart; readonly all: SumPart }
  | { readonly kind: 'expression'; readonly feature: Extract<CompiledFeature, { kind: 'expression' }> }
);

const NO_FACTS: FactsRead = { label: false, outcomes: [], reversed: false };

type WindowFeature = Extract<CompiledFeature, { kind: 'window' }>;

export function planFeatures(catalogue: CompiledCatalogue): FeaturePlan {
  const builder = new PlanBuilder();
  const reads = catalogue.features.map((feature) => builder.read(feature));
  return builder.finish(reads);
}

/** Words of an event's bits. */
export function bitWordsOf({ bitCount }: FeaturePlan): number {
  return (bitCount + 31) >>> 5;
}

/** Where an event's words have its numbers, after its key slots and bits; */
export function doublesFromOf(plan: FeaturePlan): number {
  return plan.columns.length + bitWordsOf(plan);
}

/** and where they have what was refunded of it, if anything asks. */
export function refundsFromOf(plan: FeaturePlan): number {
  return doublesFromOf(plan) + WORDS_PER_DOUBLE * plan.doubles.length;
}

/** The reservoir that a plan's windows need. */
export function reservoirOptionsOf(plan: FeaturePlan, limits: FeatureLimits): ReservoirOptions {
  const hasRefunds = plan.netSums.length > 0;
  return {
    ...limits,
    wordCount: refundsFromOf(plan) + (hasRefunds ? REFUND_WORDS : 0),
    cursorCount: plan.edgeAgesMs.length,
    hasOffsetIndex: readsAny(plan.facts),
    hasRefunds,
  };
}

class PlanBuilder {
  readonly #columns = new Map<string, { readonly index: number; readonly column: ColumnPlan }>();
  readonly #predicates = new Map<string, { readonly index: number; readonly predicate: PredicatePlan }>();
  readonly #sums = new Map<string, SumPart>();
  readonly #netSums = new Map<string, SumPart>();
  readonly #recencies = new Map<string, RecencyPart>();
  readonly #candidates = new Map<string, CandidatePart>();
  readonly #distincts = new Map<string, DistinctPart>();
  readonly #shares = new Map<string, SharePart>();
  readonly #hours = new Map<string, HourPart>();
  readonly #newest = new Map<string, NewestPart>();
  readonly #doubles: string[] = [];
  readonly #pairs = new Map<string, PairsPlan>();
  readonly #edgeAgesMs = new Set<number>();
  /** By what is read. The first, of no facts, is all zeros. */
  readonly #factTables = new Map<string, { readonly start: number; readonly table: FactTable }>();
  #bitCount = 1;

  constructor() {
    this.#factTable(NO_FACTS);
  }

  read(feature: CompiledFeature): ReadPlan {
    if (feature.kind === 'expression')
      return { kind: 'expression', feature, column: -1, includeCurrent: true, whenEmpty: 0, leaveAgeMs: 0 };
    const window = this.#window(feature, feature.where);
    const { leaveAgeMs, column } = window;
    const { includeCurrent, whenEmpty } = feature;
    const read = { column, includeCurrent, whenEmpty, leaveAgeMs };
    switch (feature.aggregate) {
      case 'count':
      case 'sum':
      case 'avg':
      case 'std':
      case 'zScore': {
        if (feature.isNet && (feature.aggregate === 'sum' || feature.aggregate === 'avg'))
          return { ...read, kind: feature.aggregate, part: this.#netSum(window) };
        const part = this.#sum(window);
        if (feature.aggregate !== 'count') part.sumAt ||= this.#allocate(column, 2);
        if (feature.aggregate === 'std' || feature.aggregate === 'zScore') part.squaresAt ||= this.#allocate(column, 3);
        return { ...read, kind: feature.aggregate, part };
      }
      case 'topShare':
        return { ...read, kind: 'topShare', part: this.#share(window, textFieldOf(feature)) };
      case 'last':
        return { ...read, kind: 'newest', part: this.#newestOf(window, this.#number(feature), NO_NUMBER) };
      case 'geoVelocity': {
        const [latitude, longitude] = coordinateFields.map((field) => this.#double(field));
        if (latitude === undefined || longitude === undefined) throw new Error('SLUICE_STATE_PLAN: no coordinates');
        return { ...read, kind: 'geoVelocity', part: this.#newestOf(window, latitude, longitude) };
      }
      case 'first':
        return { ...read, kind: 'oldest', part: this.#oldestOf(window, this.#number(feature)) };
      case 'hourDeviation':
        return { ...read, kind: 'hourDeviation', part: this.#hour(window), all: this.#sum(window) };
      case 'seenBefore': {
        // A count by entity and value together.
        const part = this.#sum(this.#window({ ...feature, entity: keyFields(feature) }, feature.where));
        return { ...read, kind: 'seen', column: part.column, part };
      }
      case 'rate':
        return { ...read, kind: 'rate', part: this.#sum(window), all: this.#sum(this.#window(feature, null)) };
      case 'min':
      case 'max': {
        const sign = feature.aggregate === 'max' ? 1 : -1;
        const part = this.#candidate(window, sign, feature.where?.readsFacts === true);
        return { ...read, kind: 'extreme', part };
      }
      case 'timeSince':
        if (feature.where?.readsFacts === true)
          return { ...read, kind: 'newestCandidate', part: this.#candidate(window, 0, true) };
        return { ...read, kind: 'recency', part: this.#recency(window) };
      case 'distinct': {
        return { ...read, kind: 'distinct', part: this.#distinct(window, textFieldOf(feature)) };
      }
    }
  }

  finish(reads: readonly ReadPlan[]): FeaturePlan {
    const predicates = [...this.#predicates.values()].map(({ predicate }) => predicate);
    return {
      columns: [...this.#columns.values()].map(({ column }) => column),
      predicates,
      bitCount: this.#bitCount,
      edgeAgesMs: [...this.#edgeAgesMs].sort((a, b) => a - b),
      sums: [...this.#sums.values()],
      netSums: [...this.#netSums.values()],
      recencies: [...this.#recencies.values()],
      candidates: [...this.#candidates.values()],
      distincts: [...this.#distincts.values()],
      pairs: [...this.#pairs.values()],
      shares: [...this.#shares.values()],
      hours: [...this.#hours.values()],
      newest: [...this.#newest.values()],
      doubles: this.#doubles,
      reads,
      facts: allRead([
        { ...NO_FACTS, reversed: this.#netSums.size > 0 },
        ...predicates.map(({ where }) => where?.expression.facts ?? NO_FACTS),
      ]),
      factBits: Uint8Array.from([...this.#factTables.values()].flatMap(({ table }) => [...table.bits])),
    };
  }

  #window(feature: WindowFeature, where: CompiledWhere | null): WindowPart {
    const enterAgeMs = feature.delayMs;
    const leaveAgeMs = feature.delayMs + feature.windowMs;
    this.#edgeAgesMs.add(enterAgeMs).add(leaveAgeMs);
    return {
      column: this.#column(feature.entity, leaveAgeMs),
      predicate: this.#predicate(where),
      enterAgeMs,
      leaveAgeMs,
    };
  }

  #column(fields: readonly string[], retentionMs: number): number {
    const members = fields.length > 1 ? fields.map((field) => this.#column([field], retentionMs)) : [];
    const id = fields.join('+');
    let entry = this.#columns.get(id);
    if (entry === undefined) {
      entry = { index: this.#columns.size, column: { fields, members, retentionMs, rowLength: 1 } };
      this.#columns.set(id, entry);
    }
    entry.column.retentionMs = Math.max(entry.column.retentionMs, retentionMs);
    return entry.index;
  }

  #predicate(where: CompiledWhere | null): number {
    const id = where?.expression.source.trim() ?? '';
    let entry = this.#predicates.get(id);
    if (entry === undefined) {
      const { start, table } = this.#factTable(where?.expression.facts ?? NO_FACTS);
      const firstBit = where === null ? 0 : this.#bitCount;
      if (where !== null) this.#bitCount += table.combinations.length;
      const predicate = { where, firstBit, factTable: start, combinations: table.combinations };
      entry = { index: this.#predicates.size, predicate };
      this.#predicates.set(id, entry);
    }
    return entry.index;
  }

  #factTable(read: FactsRead): { readonly start: number; readonly table: FactTable } {
    const id = JSON.stringify(read);
    const found = this.#factTables.get(id);
    if (found !== undefined) return found;
    const added = { start: this.#factTables.size * FACT_STATES, table: factTable(read) };
    this.#factTables.set(id, added);
    return added;
  }

  #sum(window: WindowPart): SumPart {
    return part(this.#sums, windowId(window), () => {
      return { ...window, countAt: this.#allocate(window.column, 1), sumAt: 0, squaresAt: 0 };
    });
  }

  #netSum(window: WindowPart): SumPart {
    return part(this.#netSums, windowId(window), () => {
      const [countAt, sumAt] = [this.#allocate(window.column, 1), this.#allocate(window.column, 2)];
      return { ...window, countAt, sumAt, squaresAt: 0 };
    });
  }

  #recency(window: WindowPart): RecencyPart {
    return part(this.#recencies, entryId(window), () => ({ ...window, at: this.#allocate(window.column, 1) }));
  }

  #candidate(window: WindowPart, sign: number, isWhole: boolean): CandidatePart {
    const found = part(this.#candidates, `${entryId(window)} ${sign}`, () => {
      return { ...window, at: this.#allocate(window.column, CANDIDATE_FIELDS), sign, isWhole, number: null };
    });
    found.leaveAgeMs = Math.max(found.leaveAgeMs, window.leaveAgeMs);
    return found;
  }

  #distinct(window: WindowPart, field: string): DistinctPart {
    const valueColumn = this.#column([field], window.leaveAgeMs);
    return part(this.#distincts, `${windowId(window)} ${valueColumn}`, () => {
      const { column } = window;
      const index = this.#pairs.size;
      const pairs = part(this.#pairs, `${column} ${valueColumn}`, () => ({ index, column, valueColumn, windows: 0 }));
      pairs.windows += 1;
      return { ...window, pairs, window: pairs.windows - 1, at: this.#allocate(column, 1) };
    });
  }

  #share(window: WindowPart, field: string): SharePart {
    const valueColumn = this.#column([field], window.leaveAgeMs);
    return part(this.#shares, `${windowId(window)} ${valueColumn}`, () => {
      const at = this.#allocate(window.column, SHARE_FIELDS);
      return { ...window, valueColumn, index: this.#shares.size, at };
    });
  }

  #hour(window: WindowPart): HourPart {
    return part(this.#hours, windowId(window), () => ({ ...window, at: this.#allocate(window.column, HOUR_FIELDS) }));
  }

  #newestOf(window: WindowPart, first: number, second: number): NewestPart {
    return part(this.#newest, `${entryId(window)} ${first} ${second}`, () => {
      const at = this.#allocate(window.column, second === NO_NUMBER ? 2 : 3);
      return { ...window, at, first, second };
    });
  }

  /** A list for each window, since the oldest is read off its end. */
  #oldestOf(window: WindowPart, number: number): CandidatePart {
    return part(this.#candidates, `first ${windowId(window)} ${number}`, () => {
      return { ...window, at: this.#allocate(window.column, CANDIDATE_FIELDS), sign: 1, isWhole: true, number };
    });
  }

  #number({ name, numberField }: WindowFeature): number {
    if (numberField === null) throw new Error(`SLUICE_STATE_PLAN: ${name} has no number field`);
    return numberField === 'amountMinor' ? AMOUNT_ITSELF : this.#double(numberField);
  }

  #double(field: string): number {
    if (!this.#doubles.includes(field)) this.#doubles.push(field);
    return this.#doubles.indexOf(field);
  }

  #allocate(column: number, doubles: number): number {
    const entry = [...this.#columns.values()][column];
    if (entry === undefined) throw new Error('SLUICE_STATE_PLAN: no such column');
    const at = entry.column.rowLength;
    entry.column.rowLength += doubles;
    return at;
  }
}

function textFieldOf({ name, textField }: WindowFeature): string {
  if (textField === null) throw new Error(`SLUICE_STATE_PLAN: ${name} has no text field`);
  return textField;
}

/** Entity and text field, in the order in which a tuple of both has them. */
function keyFields(feature: WindowFeature): readonly string[] {
  const fields = [...feature.entity, textFieldOf(feature)];
  const entities = entityNames.filter((name) => fields.includes(name));
  return [...entities, ...fields.filter((field) => !entityNames.some((name) => name === field))];
}

function windowId(window: WindowPart): string {
  return `${entryId(window)} ${window.leaveAgeMs}`;
}

function entryId(window: WindowPart): string {
  return `${window.column} ${window.predicate} ${window.enterAgeMs}`;
}

function part<T>(parts: Map<string, T>, id: string, create: () => T): T {
  let found = parts.get(id);
  if (found === undefined) {
    found = create();
    parts.set(id, found);
  }
  return found;
}
