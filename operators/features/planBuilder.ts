import type { FactsRead } from '../cel/facts.ts';
import { candidateFields, ROW_CANDIDATES } from './candidates.ts';
import type { CompiledCatalogue, CompiledFeature, CompiledWhere } from './catalogue.ts';
import { AMOUNT_ITSELF, NO_NUMBER } from './eventDoubles.ts';
import { allRead, factTable, FACT_STATES, type FactTable } from './factTable.ts';
import { HOUR_FIELDS } from './hourProfile.ts';
import { entityNames } from './keyField.ts';
import { coordinateFields } from './numberField.ts';
import type {
  CandidatePart,
  ColumnPlan,
  DistinctPart,
  FeaturePlan,
  HourPart,
  NewestPart,
  PairsPlan,
  PredicatePlan,
  ReadPlan,
  RecencyPart,
  SharePart,
  SumPart,
  WindowPart,
} from './plan.ts';
import { RowLayout } from './rowLayout.ts';
import { SHARE_FIELDS } from './valueShares.ts';

const NO_FACTS: FactsRead = { label: false, outcomes: [], reversed: false };

type WindowFeature = Extract<CompiledFeature, { kind: 'window' }>;

interface PlannedColumn {
  readonly index: number;
  readonly column: ColumnPlan;
  readonly layout: RowLayout;
}

export function planFeatures(catalogue: CompiledCatalogue): FeaturePlan {
  const builder = new PlanBuilder();
  const reads = catalogue.features.map((feature) => builder.read(feature));
  return builder.finish(reads);
}

class PlanBuilder {
  readonly #columns = new Map<string, PlannedColumn>();
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
        if (feature.aggregate !== 'count') part.sumAt ||= this.#leaving(window, 2);
        if (feature.aggregate === 'std' || feature.aggregate === 'zScore') part.squaresAt ||= this.#leaving(window, 3);
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
    this.#arrange();
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
      const column = { fields, members, retentionMs, rowLength: 0 };
      entry = { index: this.#columns.size, column, layout: new RowLayout() };
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
      return { ...window, countAt: this.#leaving(window, 1), sumAt: 0, squaresAt: 0 };
    });
  }

  #netSum(window: WindowPart): SumPart {
    return part(this.#netSums, windowId(window), () => {
      const [countAt, sumAt] = [this.#leaving(window, 1), this.#leaving(window, 2)];
      return { ...window, countAt, sumAt, squaresAt: 0 };
    });
  }

  #recency(window: WindowPart): RecencyPart {
    return part(this.#recencies, entryId(window), () => ({ ...window, at: this.#staying(window, 1) }));
  }

  #candidate(window: WindowPart, sign: number, isWhole: boolean): CandidatePart {
    const found = part(this.#candidates, `${entryId(window)} ${sign}`, () => {
      return { ...window, at: 0, room: 0, sign, isWhole, number: null };
    });
    found.leaveAgeMs = Math.max(found.leaveAgeMs, window.leaveAgeMs);
    return found;
  }

  #distinct(window: WindowPart, field: string): DistinctPart {
    const valueColumn = this.#column([field], window.leaveAgeMs);
    return part(this.#distincts, `${windowId(window)} ${valueColumn}`, () => {
      const { column } = window;
      const index = this.#pairs.size;
      const pairs = part(this.#pairs, `${column} ${valueColumn}`, () => ({
        index,
        column,
        valueColumn,
        leaveAgesMs: [],
      }));
      pairs.leaveAgesMs.push(window.leaveAgeMs);
      return { ...window, pairs, window: pairs.leaveAgesMs.length - 1, at: this.#leaving(window, 1) };
    });
  }

  #share(window: WindowPart, field: string): SharePart {
    const valueColumn = this.#column([field], window.leaveAgeMs);
    return part(this.#shares, `${windowId(window)} ${valueColumn}`, () => {
      const at = this.#leaving(window, SHARE_FIELDS);
      return { ...window, valueColumn, index: this.#shares.size, at };
    });
  }

  #hour(window: WindowPart): HourPart {
    return part(this.#hours, windowId(window), () => ({ ...window, at: this.#leaving(window, HOUR_FIELDS) }));
  }

  #newestOf(window: WindowPart, first: number, second: number): NewestPart {
    return part(this.#newest, `${entryId(window)} ${first} ${second}`, () => {
      const at = this.#staying(window, second === NO_NUMBER ? 2 : 3);
      return { ...window, at, first, second };
    });
  }

  /** A list for each window, since the oldest is read off its end. */
  #oldestOf(window: WindowPart, number: number): CandidatePart {
    return part(this.#candidates, `first ${windowId(window)} ${number}`, () => {
      return { ...window, at: 0, room: 0, sign: 1, isWhole: true, number };
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

  /** A field of a key's row that the events which leave the window change. */
  #leaving({ column, leaveAgeMs }: WindowPart, doubles: number): number {
    return this.#layoutOf(column).add(doubles, leaveAgeMs);
  }

  /** A field that no leaving event changes. */
  #staying({ column }: WindowPart, doubles: number): number {
    return this.#layoutOf(column).add(doubles, null);
  }

  #layoutOf(column: number): RowLayout {
    const entry = [...this.#columns.values()][column];
    if (entry === undefined) throw new Error('SLUICE_STATE_PLAN: no such column');
    return entry.layout;
  }

  /** Of all lists of candidates, now that it is known how long each is kept. A list that is there while its key is has room in the row. */
  #addLists(): void {
    const columns = [...this.#columns.values()];
    const everything = this.#predicates.get('')?.index;
    for (const part of this.#candidates.values()) {
      const { retentionMs } = columns[part.column]!.column;
      const isLasting = part.leaveAgeMs === retentionMs && part.predicate === everything;
      part.room = isLasting && !part.isWhole ? ROW_CANDIDATES : 0;
      part.at = this.#staying(part, candidateFields(part.room));
    }
  }

  /** Gives every field its position in its key's row. */
  #arrange(): void {
    this.#addLists();
    const places = [...this.#columns.values()].map(({ column, layout }) => {
      const { rowLength, positions } = layout.arrange();
      column.rowLength = rowLength;
      return (field: number): number => positions.get(field) ?? 0;
    });
    for (const part of [...this.#sums.values(), ...this.#netSums.values()]) {
      const place = places[part.column]!;
      part.countAt = place(part.countAt);
      part.sumAt = place(part.sumAt);
      part.squaresAt = place(part.squaresAt);
    }
    const others = [this.#recencies, this.#candidates, this.#distincts, this.#shares, this.#hours, this.#newest];
    for (const part of others.flatMap((parts) => [...parts.values()])) part.at = places[part.column]!(part.at);
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
