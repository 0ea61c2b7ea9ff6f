import type { Label, Outcome, Transaction } from '../../schemas/types.ts';
import { SavedStateError, type SavedState, type StateInput, type StateOutput } from '../savedState.ts';
import type { ReservoirStorage } from './blockStore.ts';
import type { CompiledCatalogue } from './catalogue.ts';
import type { CorrectedState } from './corrections.ts';
import { EventDoubles } from './eventDoubles.ts';
import { AMOUNT, BOUNDARY, ENGINE_TIME, OWN_TIME, TIME } from './eventNumbers.ts';
import { compileReads, readFeatures, type ReadProgram } from './featureReader.ts';
import type { FeatureLimits, FeatureState, FeatureStatistics } from './featureState.ts';
import { ColumnKernel } from './kernel/columnKernel.ts';
import { KernelDriver } from './kernel/kernelDriver.ts';
import { KeyTable } from './keyTable.ts';
import { LearntFacts } from './learntFacts.ts';
import { MAX_AMOUNT_MINOR, MAX_TIME_MS } from './limits.ts';
import { PairCounts } from './pairCounts.ts';
import { PaymentExpressions } from './paymentExpressions.ts';
import { PaymentKeys } from './paymentKeys.ts';
import { bitWordsOf, headLimitOf, reservoirOptionsOf, type ColumnPlan, type FeaturePlan } from './plan.ts';
import { planFeatures } from './planBuilder.ts';
import { Reservoir } from './reservoir.ts';
import { measureMemory, sumOver, totalBytes, type MeasuredParts } from './stateMemory.ts';
import { StateSurvey } from './stateSurvey.ts';
import { ValueShares } from './valueShares.ts';
import { WindowEdges } from './windowEdges.ts';

/** Events sealed at most when time moves on: more than come in, so that the head is as short as it can be before long. */
const SEALED_PER_STEP = 64;
/** Crossings of a tick, for which nobody waits, for one of a payment's. */
const TICK_STEPS = 4;

/**
 * The feature state over one reservoir: each event is added to the rows of its keys when it crosses the edge at which
 * a window begins, and taken off when it crosses the one at which the window ends. A late event crosses at once the edges
 * that its time has already passed; so every window holds what it would hold had the events come in order.
 */
export class WindowState implements FeatureState {
  readonly catalogue: CompiledCatalogue;
  readonly #plan: FeaturePlan;
  readonly #limits: FeatureLimits;
  readonly #tables: readonly KeyTable[];
  readonly #driver: KernelDriver;
  readonly #edges: WindowEdges;
  readonly #reservoir: Reservoir;
  readonly #pairs: readonly PairCounts[];
  readonly #shares: readonly ValueShares[];
  readonly #doubles: EventDoubles;
  readonly #storage: ReservoirStorage;
  readonly #readsBefore: ReadProgram;
  readonly #readsAfter: ReadProgram;
  readonly #expressions: PaymentExpressions;
  /** The numbers of the event that crosses an edge, and the engine's time. */
  readonly #event: Float64Array;
  readonly #keys: PaymentKeys;
  readonly #facts: LearntFacts;
  readonly #bitWords: number;
  readonly #maxHeadEvents: number;
  /** The current payment's key slots, negative for none. */
  readonly #slots: Int32Array;
  readonly #bits: Int32Array;
  #lateBeyondBound = 0;
  #refusedKeys = 0;
  #forcedOut = 0;

  constructor(catalogue: CompiledCatalogue, limits: FeatureLimits, storage: ReservoirStorage) {
    this.catalogue = catalogue;
    this.#limits = limits;
    const plan = planFeatures(catalogue);
    this.#plan = plan;
    this.#tables = plan.columns.map((column) => new KeyTable(kernelOf(column, limits)));
    this.#bitWords = bitWordsOf(plan);
    this.#maxHeadEvents = headLimitOf(plan, limits);
    this.#storage = storage;
    const reservoirOptions = reservoirOptionsOf(plan, limits);
    this.#driver = new KernelDriver(
      this.#tables.map(({ kernel }) => kernel),
      { wordCount: reservoirOptions.wordCount, edgeCount: plan.edgeAgesMs.length },
    );
    this.#event = this.#driver.event;
    this.#reservoir = new Reservoir(reservoirOptions, storage, this.#driver);
    const { maxDistinctPerKey, maxDistinctSamples } = limits;
    this.#pairs = plan.pairs.map(({ column, leaveAgesMs }) => {
      const { kernel } = this.#tables[column]!;
      return new PairCounts(kernel, leaveAgesMs, maxDistinctPerKey, maxDistinctSamples, this.#event);
    });
    this.#shares = plan.shares.map(() => new ValueShares(limits.maxDistinctPerKey));
    this.#doubles = new EventDoubles(plan.doubles);
    const reached: CorrectedState = {
      plan,
      tables: this.#tables,
      driver: this.#driver,
      pairs: this.#pairs,
      shares: this.#shares,
      doubles: this.#doubles,
      event: this.#event,
    };
    this.#edges = new WindowEdges(reached, this.#reservoir, limits.maxBacklogEvents);
    this.#facts = new LearntFacts(reached, this.#reservoir, this.#edges);
    this.#keys = new PaymentKeys(reached);
    this.#readsBefore = compileReads(reached, false);
    this.#readsAfter = compileReads(reached, true);
    this.#expressions = new PaymentExpressions(plan);
    this.#slots = this.#driver.slots;
    this.#bits = new Int32Array(this.#bitWords);
  }

  get timeMs(): number {
    return this.#event[ENGINE_TIME]!;
  }

  get keyCount(): number {
    let count = 0;
    for (const table of this.#tables) count += table.size;
    return count;
  }

  get waitingBlocks(): number {
    return this.#reservoir.waitingBlocks;
  }

  advanceTime(timeMs: number): void {
    this.#moveTime(timeMs, this.#limits.maxCrossingsPerStep * TICK_STEPS);
  }

  addTransaction(tx: Transaction, ledgerOffset: number, out: Float64Array, outBase: number): boolean {
    const { amountMinor, eventTimeMs } = tx;
    if (!(amountMinor >= 0 && amountMinor <= MAX_AMOUNT_MINOR && eventTimeMs > 0 && eventTimeMs <= MAX_TIME_MS))
      throw new Error(`SLUICE_STATE_INPUT: amount or time of the payment at offset ${ledgerOffset} is out of bounds`);
    this.#keys.foresee(tx);
    this.#moveTime(tx.eventTimeMs, this.#limits.maxCrossingsPerStep);
    // Before any row is looked up, since it may let keys go.
    this.#makeRoom();
    const oldestMs = Math.max(this.timeMs - this.catalogue.latenessMs, this.#reservoir.sealedThroughMs);
    const isLate = tx.eventTimeMs < oldestMs;
    if (isLate) this.#lateBeyondBound += 1;
    const timeMs = isLate ? oldestMs : tx.eventTimeMs;
    this.#expressions.writeBits(tx, this.#bits);
    this.#doubles.read(tx);
    this.#refusedKeys += this.#keys.find();
    this.#edges.settle(this.#slots);
    this.#event[TIME] = timeMs;
    this.#event[OWN_TIME] = eventTimeMs;
    this.#event[AMOUNT] = amountMinor;
    this.#read(this.#readsBefore, out, outBase);
    this.#insert(ledgerOffset);
    this.#read(this.#readsAfter, out, outBase);
    this.#expressions.writeFeatures(tx, out, outBase);
    this.#driver.calls.releaseUnusedKeys();
    return isLate;
  }

  addLabel(label: Label): void {
    this.#facts.addLabel(label);
  }

  addOutcome(outcome: Outcome): void {
    this.#facts.addOutcome(outcome);
  }

  addReversal(reversal: Transaction, originalOffset: number): void {
    this.#facts.addReversal(reversal, originalOffset);
  }

  close(): void {
    this.#storage.close();
  }

  statistics(): FeatureStatistics {
    const memory = measureMemory(this.#measuredParts);
    const { events, backlog } = memory;
    return {
      events: events.held,
      headEvents: events.inHead,
      backlogEvents: backlog.events,
      factChanges: this.#reservoir.factChangeCount,
      keys: Object.fromEntries(memory.keys.map(({ entity, keys }) => [entity, keys])),
      bytes: totalBytes(memory),
      eventBytes: events.bytes + backlog.bytes,
      lateBeyondBound: this.#lateBeyondBound,
      ...this.#facts.statistics,
      failedExpressions: this.#expressions.failed,
      refusedKeys: this.#refusedKeys,
      estimatedDistincts: this.#pairs.reduce((count, pairs) => count + pairs.estimated(this.timeMs), 0),
      uncountedValues: [...this.#pairs, ...this.#shares].reduce((count, { uncounted }) => count + uncounted, 0),
      droppedCandidates: sumOver(this.#tables, (calls) => calls.droppedCandidates()),
      forcedOut: this.#forcedOut,
      hurriedCrossings: this.#edges.hurriedCrossings,
    };
  }

  survey(): StateSurvey {
    return new StateSurvey(this.catalogue, this.#measuredParts);
  }

  save(output: StateOutput): void {
    output.text(this.#layout());
    output.number(this.timeMs);
    output.number(this.#lateBeyondBound);
    output.number(this.#expressions.failed);
    output.number(this.#refusedKeys);
    output.number(this.#forcedOut);
    for (const part of this.#parts()) part.save(output);
  }

  load(input: StateInput): void {
    if (input.text() !== this.#layout())
      throw new SavedStateError('the feature state is of another catalogue, or was kept under other limits');
    this.#event[ENGINE_TIME] = input.number();
    this.#lateBeyondBound = input.number();
    this.#expressions.failed = input.number();
    this.#refusedKeys = input.number();
    this.#forcedOut = input.number();
    for (const part of this.#parts()) part.load(input);
    this.#driver.connect();
  }

  /** What must be equal for a saved state to be read. */
  #layout(): string {
    return `${this.catalogue.sha256} ${JSON.stringify(this.#limits)}`;
  }

  get #measuredParts(): MeasuredParts {
    return {
      plan: this.#plan,
      tables: this.#tables,
      pairs: this.#pairs,
      shares: this.#shares,
      reservoir: this.#reservoir,
      edges: this.#edges,
    };
  }

  #parts(): readonly SavedState[] {
    return [...this.#tables, ...this.#pairs, ...this.#shares, this.#reservoir, this.#edges, this.#facts];
  }

  /** Moves time on, unless it is in the past, with at most so many crossings at once. */
  #moveTime(timeMs: number, crossings: number): void {
    const isLater = timeMs > this.timeMs;
    if (isLater) this.#event[ENGINE_TIME] = timeMs;
    else if (this.#edges.backlogEvents === 0) return;
    this.#edges.advance(crossings);
    if (!isLater) return;
    this.#event[BOUNDARY] = timeMs - this.catalogue.latenessMs;
    this.#reservoir.seal(this.#event, SEALED_PER_STEP);
    this.#reservoir.dropBefore(this.#edges.oldestPosition);
  }

  #read(program: ReadProgram, out: Float64Array, outBase: number): void {
    readFeatures(program, this.#driver, this.#slots, this.#event, this.#doubles, out, outBase);
  }

  /** Puts the current payment into the reservoir and into the windows that its time is in. */
  #insert(ledgerOffset: number): void {
    if (this.#edges.isPastAll) return;
    const reservoir = this.#reservoir;
    reservoir.insert(this.#event[TIME]!, this.#event[AMOUNT]!, ledgerOffset);

    const { foundBlock, foundIndex } = reservoir;
    const { words } = foundBlock;
    const bitsAt = foundIndex * reservoir.wordCount + this.#tables.length;
    for (let word = 0; word < this.#bitWords; word++) words[bitsAt + word] = this.#bits[word]!;
    if (reservoir.hasRefunds) foundBlock.setRefunded(foundIndex, 0);
    this.#doubles.writeCurrent(words, bitsAt + this.#bitWords);
    this.#driver.calls.insertEvent(foundBlock.address, foundIndex);
  }

  #sealOldest(): void {
    this.#event[BOUNDARY] = Number.POSITIVE_INFINITY;
    this.#reservoir.seal(this.#event, 1);
  }

  /** Where a bound is reached, seals the head's oldest event early, or takes the oldest one out of every window. */
  #makeRoom(): void {
    const reservoir = this.#reservoir;
    const { maxReservoirEvents } = this.#limits;
    if (reservoir.headCount >= this.#maxHeadEvents) this.#sealOldest();
    const position = this.#edges.oldestPosition;
    if (reservoir.end - position < maxReservoirEvents) return;
    // None may come before it any more.
    if (reservoir.end - reservoir.headCount === position) this.#sealOldest();
    this.#edges.forceOut();
    this.#forcedOut += 1;
    reservoir.dropBefore(position + 1);
  }
}

function kernelOf({ rowLength }: ColumnPlan, { maxKeysPerEntity, maxCandidatesPerKey }: FeatureLimits): ColumnKernel {
  return new ColumnKernel({ rowLength, maxKeys: maxKeysPerEntity, maxCandidatesPerKey });
}
