import { readsAny } from '../cel/facts.ts';
import { blockShare, candidateBlockBytes } from './candidates.ts';
import type { CompiledCatalogue } from './catalogue.ts';
import { featureShares } from './featureShares.ts';
import { defaultLimits, type FeatureLimits } from './featureState.ts';
import { KeyTable, type KeyTableBytes, wordsOfText, wordsOfTuple } from './keyTable.ts';
import { MAX_KEY_BYTES_PER_ENTITY } from './limits.ts';
import { PairCounts } from './pairCounts.ts';
import { headLimitOf, reservoirOptionsOf, type CandidatePart, type FeaturePlan } from './plan.ts';
import { planFeatures } from './planBuilder.ts';
import { Reservoir } from './reservoir.ts';
import { columnNames, type EventMemory, type KeyMemory, type PairMemory } from './stateMemory.ts';
import type { StateContents } from './stateSurvey.ts';
import { ValueShares } from './valueShares.ts';

/** What a feature state is to be sized for, once its longest window is full. */
export interface ExpectedLoad {
  readonly paymentsPerSecond: number;
  /** Live keys of each entity of which `keysOf` says nothing. */
  readonly keys: number;
  /** Live keys by entity, tuple (joined by +) or field counted by distinct. */
  readonly keysOf: ReadonlyMap<string, number>;
  /** Characters of a key, by entity or field. */
  readonly charactersOf: (field: string) => number;
  /** Different values that one key meets: of each entity in its tuples and of each field that its distinct counts. */
  readonly valuesPerKey: number;
  /** Share of the payments that get a label, or an outcome, that a condition asks for. A condition on neither is taken to hold. */
  readonly knownShare: number;
}

/** Values that fields with few of them can have, at most, by the standards that list them (and for BINs in practice). */
const FEW_VALUES: ReadonlyMap<string, number> = new Map([
  ['country', 250],
  ['currency', 180],
  ['mcc', 1_000],
  ['type', 16],
  ['channel', 16],
  ['cardBin', 20_000],
]);

export interface StateEstimate {
  readonly contents: StateContents;
  /** What does not fit into the state's limits: those keys are refused; of those values distinct makes an estimate. */
  readonly excess: readonly Excess[];
}

export interface Excess {
  readonly entity: string;
  /** The field of which a key has too many values; null: there are too many keys. */
  readonly of: string | null;
  /** Keys, or values of one key. */
  readonly expected: number;
  readonly limit: number;
}

/** What the state of a catalogue will hold, from the same plan and the same classes that hold it: exact but for the hash's luck. */
export function estimateState(
  catalogue: CompiledCatalogue,
  load: ExpectedLoad,
  limits: FeatureLimits = defaultLimits,
): StateEstimate {
  const plan = planFeatures(catalogue);
  const estimate = new Estimate(plan, load, limits);
  const candidates = Math.ceil(plan.candidates.reduce((sum, part) => sum + estimate.candidates(part), 0));
  const blockBytes = plan.candidates.map((part) => estimate.blockBytes(part));
  const memory = {
    keys: estimate.keys(),
    pairs: [...estimate.pairs(), ...estimate.shares()],
    candidates: {
      count: candidates,
      bytes: blockBytes.reduce((sum, bytes) => sum + bytes, 0),
    },
    events: estimate.events(catalogue.latenessMs),
    // What comes evenly is not kept waiting.
    backlog: { events: 0, bytes: 0 },
  };
  const features = featureShares(catalogue.names, plan, memory, blockBytes);
  return { contents: { memory, features, hottest: [] }, excess: estimate.excess };
}

class Estimate {
  readonly excess: Excess[] = [];
  readonly #plan: FeaturePlan;
  readonly #load: ExpectedLoad;
  readonly #limits: FeatureLimits;
  readonly #names: readonly string[];
  /** By column. */
  readonly #keys: number[] = [];

  constructor(plan: FeaturePlan, load: ExpectedLoad, limits: FeatureLimits) {
    this.#plan = plan;
    this.#load = load;
    this.#limits = limits;
    this.#names = columnNames(plan);
    // A tuple's members come before it.
    for (const [column, { members, retentionMs }] of plan.columns.entries()) {
      const name = this.#names[column]!;
      const all = members.length > 0 ? this.#together(members) : Math.min(load.keys, FEW_VALUES.get(name) ?? Infinity);
      // A key lives as long as a window holds a payment of it.
      const expected = Math.min(load.keysOf.get(name) ?? all, this.#eventsIn(retentionMs));
      const { rows, index, keys } = this.#keyBytes(column, expected);
      const fitting = Math.floor((expected * MAX_KEY_BYTES_PER_ENTITY) / Math.max(1, rows + index + keys));
      this.#keys.push(this.#limited(name, null, expected, Math.min(limits.maxKeysPerEntity, Math.max(1, fitting))));
    }
  }

  keys(): KeyMemory[] {
    return this.#plan.columns.map((_, column) => {
      const keys = this.#keys[column]!;
      const { rows, index, keys: keyBytes } = this.#keyBytes(column, keys);
      return { entity: this.#names[column]!, keys, rowBytes: rows, indexBytes: index, keyBytes };
    });
  }

  pairs(): PairMemory[] {
    const { maxDistinctPerKey, maxDistinctSamples } = this.#limits;
    return this.#plan.pairs.map(({ index, column, valueColumn, leaveAgesMs }) => {
      const parts = this.#plan.distincts.filter((part) => part.pairs.index === index);
      const durationsMs = parts.map(({ enterAgeMs, leaveAgeMs }) => leaveAgeMs - enterAgeMs);
      const counted = this.#valuesOf(column, valueColumn, Math.max(...durationsMs));
      const sampled = durationsMs.filter((ms) => this.#valuesPerKey(column, valueColumn, ms) > maxDistinctPerKey);
      const samples = Math.min(sampled.length * this.#keys[column]!, maxDistinctSamples);
      const bytes = PairCounts.expectedBytes(leaveAgesMs.length, counted.pairs, samples, maxDistinctPerKey);
      return { ...counted, bytes };
    });
  }

  shares(): PairMemory[] {
    return this.#plan.shares.map(({ column, valueColumn, enterAgeMs, leaveAgeMs }) => {
      const counted = this.#valuesOf(column, valueColumn, leaveAgeMs - enterAgeMs);
      const keys = Math.min(this.#keys[column]!, counted.pairs);
      return { ...counted, bytes: ValueShares.expectedBytes(keys, counted.pairs) };
    });
  }

  /** Of one list over all keys. */
  candidates(part: CandidatePart): number {
    return this.#keys[part.column]! * this.#candidatesPerKey(part);
  }

  /** Of its blocks. */
  blockBytes(part: CandidatePart): number {
    const perKey = this.#candidatesPerKey(part);
    // A key that has less than one on average has a list at times only.
    const share = part.room === 0 ? Math.min(1, perKey) : blockShare(this.#valuesPerList(part), part.room);
    return this.#keys[part.column]! * share * candidateBlockBytes(perKey, part.room);
  }

  #keyBytes(column: number, keys: number): KeyTableBytes {
    const { fields, members, rowLength } = this.#plan.columns[column]!;
    const isText = members.length === 0;
    const words = isText ? wordsOfText(this.#load.charactersOf(fields[0]!)) : wordsOfTuple(members.length);
    return KeyTable.expectedBytes(keys, rowLength, words);
  }

  #candidatesPerKey(part: CandidatePart): number {
    const values = this.#valuesPerList(part);
    return Math.min(part.isWhole ? values : harmonic(values), this.#limits.maxCandidatesPerKey);
  }

  /** Events of a key in the window of a list. */
  #valuesPerList({ column, predicate, enterAgeMs, leaveAgeMs }: CandidatePart): number {
    const facts = this.#plan.predicates[predicate]!.where?.expression.facts;
    const asks = facts !== undefined && (facts.label || facts.outcomes.length > 0);
    const keys = this.#keys[column]!;
    if (keys === 0) return 0;
    return (this.#eventsIn(leaveAgeMs - enterAgeMs) * (asks ? this.#load.knownShare : 1)) / keys;
  }

  events(latenessMs: number): EventMemory {
    const { edgeAgesMs, facts } = this.#plan;
    const { maxReservoirEvents, maxFactChanges } = this.#limits;
    const held = Math.min(this.#eventsIn(edgeAgesMs.at(-1) ?? 0), maxReservoirEvents);
    const inHead = Math.min(this.#eventsIn(latenessMs), held, headLimitOf(this.#plan, this.#limits));
    const sealed = held - inHead;
    const factChanges = readsAny(facts) ? Math.min(sealed * this.#load.knownShare, maxFactChanges) : 0;
    const options = reservoirOptionsOf(this.#plan, this.#limits);
    const { memory, stored } = Reservoir.expectedBytes(options, { head: inHead, sealed, factChanges });
    return { held, inHead, bytes: memory, storedBytes: stored, waitingBlocks: 0 };
  }

  /** Pairs of a key and a value within so long. */
  #valuesOf(column: number, valueColumn: number, durationMs: number): Omit<PairMemory, 'bytes'> {
    const [entity, of] = [this.#names[column]!, this.#names[valueColumn]!];
    const perKey = this.#valuesPerKey(column, valueColumn, durationMs);
    const counted = this.#limited(entity, of, perKey, this.#limits.maxDistinctPerKey);
    return { entity, of, pairs: Math.ceil(this.#keys[column]! * counted) };
  }

  /** On average. */
  #valuesPerKey(column: number, valueColumn: number, durationMs: number): number {
    const keys = this.#keys[column]!;
    const pairs = Math.min(this.#together([column, valueColumn]), this.#eventsIn(durationMs));
    return keys === 0 ? 0 : pairs / keys;
  }

  #limited(entity: string, of: string | null, expected: number, limit: number): number {
    if (expected <= limit) return expected;
    this.excess.push({ entity, of, expected, limit });
    return limit;
  }

  #eventsIn(durationMs: number): number {
    return Math.ceil((this.#load.paymentsPerSecond * durationMs) / 1_000);
  }

  /** Combinations of these columns' keys: each key of the column that has most meets a few of every other. */
  #together(columns: readonly number[]): number {
    let most = 0;
    let all = 1;
    let met = 1;
    for (const column of columns) {
      const keys = this.#keys[column]!;
      most = Math.max(most, keys);
      all *= keys;
      met *= this.#load.valuesPerKey;
    }
    return Math.ceil(Math.min(all, (most * met) / this.#load.valuesPerKey));
  }
}

/** Length, on average, of a monotonic deque over n values in random order: 1 + 1/2 + ... + 1/n, which grows by ln 2 as n doubles. */
function harmonic(count: number): number {
  let doublings = 0;
  let left = count;
  for (; left > 1_024; left /= 2) doublings += 1;
  let sum = Math.min(1, left);
  for (let term = 2; term <= left; term++) sum += 1 / term;
  return sum + doublings * Math.LN2;
}
