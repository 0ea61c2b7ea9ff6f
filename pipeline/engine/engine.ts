import { setImmediate } from 'node:timers/promises';
import { compileConfiguration, parseConfiguration, type CompiledConfiguration } from '../../operators/configuration.ts';
import type { CompiledCatalogue } from '../../operators/features/catalogue.ts';
import type { FeatureState } from '../../operators/features/featureState.ts';
import { ListState } from '../../operators/lists/listState.ts';
import type { StateInput, StateOutput } from '../../operators/savedState.ts';
import { scoresCatalogue } from '../../models/modelPackage.ts';
import type { Scorer } from '../../models/scorer.ts';
import { codecs } from '../../schemas/codec.ts';
import { decodeLedgerRecord, type DecodedLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { Decision, Fallback, ModelPromotion, RuleSetPublication, Transaction } from '../../schemas/types.ts';
import { contentHashOf } from '../ingest/contentHash.ts';
import type { LedgerRow } from '../ports.ts';
import { Decider } from './decider.ts';
import { EngineModels } from './engineModels.ts';
import type { ModelRoster } from './modelRoster.ts';
import { PostureState } from './postureState.ts';
import { PublicationLog } from './publicationLog.ts';
import { RecentIds } from './recentIds.ts';
import { loadRecord, saveRecord } from './savedRecords.ts';
import { WaitingPayments } from './waitingPayments.ts';

/** What the engine needs beside the records; each answer is fixed by the ledger. */
export interface EngineServices {
  /** The model that a promotion names. Throws when it cannot be had: without it decisions could not be repeated. */
  loadModel(promotion: ModelPromotion): Promise<Scorer>;
  /** An empty feature state of the catalogue. */
  createFeatures(catalogue: CompiledCatalogue): FeatureState;
  /**
   * Feature state of `catalogue` after all records before `offset`. Called when a publication changes the catalogue, so
   * that a new feature is exact from its first use.
   */
  buildFeatures(catalogue: CompiledCatalogue, offset: number): Promise<FeatureState>;
  /** What this content of a publication was compiled to before, if it was and is at hand: it saves time and changes nothing. */
  compiled(content: string): CompiledConfiguration | null;
  /** The decision that an earlier run stored for this offset. */
  storedDecision(ledgerOffset: number): Promise<Decision>;
}

export interface EngineOptions {
  /** Payments decided in one batch; no effect on any decision. */
  readonly maxBatch: number;
  /**
   * Payments up to this offset are advanced, not decided: an earlier run decided them. -1: decide all; Infinity: decide none,
   * and load no model.
   */
  readonly decidedThrough: number;
  /** Only advance this feature state, whatever is published; decide nothing. */
  readonly featuresOnly?: FeatureState;
}

/** What came of one payment. */
export interface EngineOutput {
  readonly transaction: Transaction;
  readonly ingestTimeMs: number;
  readonly decision: Decision;
}

/**
 * The deterministic state machine: ledger records in, decisions out, no clock, no randomness. A decision is a function
 * of the records up to its payment, whatever batches they came in. Each record is *advanced* (duplicates, features,
 * lists, configuration, posture) in order; a few payments then wait to be *decided* together by rules and model.
 * Whatever changes decisions has the waiting ones decided first, so no batch spans a change.
 */
export class Engine {
  readonly posture = new PostureState();
  readonly lists = new ListState([]);
  readonly publications = new PublicationLog();
  readonly #services: EngineServices;
  readonly #options: EngineOptions;
  readonly #recentIds = new RecentIds(0);
  /** Fallbacks given, by transaction id: what the gateway was told stands over what was decided later. Bounded. */
  readonly #fallbacks = new Map<string, Fallback>();
  #nextOffset = 0;
  #lastPaymentOffset = -1;
  #configuration: CompiledConfiguration | null = null;
  #features: FeatureState | null = null;
  readonly #models: EngineModels;
  #decider: Decider | null = null;
  #waiting = new WaitingPayments(1, 0);
  #waitingTimes: number[] = [];

  constructor(services: EngineServices, options: EngineOptions) {
    this.#services = services;
    this.#options = options;
    const isLoading = options.decidedThrough !== Infinity;
    this.#models = new EngineModels(isLoading ? (promotion) => services.loadModel(promotion) : null);
    const { featuresOnly } = options;
    if (featuresOnly === undefined) return;
    this.#features = featuresOnly;
    this.#waiting = new WaitingPayments(1, featuresOnly.catalogue.names.length);
  }

  /** Offset of the next record to advance. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Offset of the newest payment advanced, duplicates included; -1 before the first. */
  get lastPaymentOffset(): number {
    return this.#lastPaymentOffset;
  }

  get configuration(): CompiledConfiguration | null {
    return this.#configuration;
  }

  get features(): FeatureState | null {
    return this.#features;
  }

  /** The champion, where models are loaded. */
  get scorer(): Scorer | null {
    return this.#models.champion;
  }

  get models(): ModelRoster {
    return this.#models.roster;
  }

  /** Of the model in force, also where it is not loaded. */
  get modelSha256(): string | null {
    return this.#models.roster.champion?.promotion.sha256 ?? null;
  }

  /** Payments whose id the engine could not remember: a second copy of one in the ledger would count once more. */
  get refusedIds(): number {
    return this.#recentIds.refused;
  }

  fallback(transactionId: string): Fallback | undefined {
    return this.#fallbacks.get(transactionId);
  }

  /** Lets go of what the engine holds outside its memory. Nothing may be asked of it after that. */
  close(): void {
    this.#features?.close();
  }

  /** Lets go of the loaded models. Nothing may be decided after that. */
  async closeModels(): Promise<void> {
    await this.#models.close();
  }

  /** Advances the records, which must follow the last ones without a gap, and decides every payment among them. */
  async process(rows: readonly LedgerRow[]): Promise<EngineOutput[]> {
    const outputs: EngineOutput[] = [];
    for (const row of rows) {
      if (row.offset !== this.#nextOffset) {
        throw new Error(`the ledger has a gap: expected offset ${String(this.#nextOffset)}, got ${String(row.offset)}`);
      }
      this.#nextOffset = row.offset + 1;
      const envelope = codecs.ledgerRecord.decode(row.value);
      if (envelope.kind === 'transaction') {
        const waited = this.#advancePayment(row.offset, envelope.payload, envelope.ingestTimeMs, outputs);
        if (waited !== null) await waited;
      } else {
        await this.#advanceOther(row.offset, decodeLedgerRecord(row.value), outputs);
      }
    }
    await this.#decideWaiting(outputs);
    return outputs;
  }

  /**
   * Saves all that later decisions depend on, as of the last `process`. An engine that decides and one that only advances
   * save the same.
   */
  save(output: StateOutput): void {
    const configuration = this.#configuration;
    const features = this.#features;
    output.number(this.#nextOffset);
    output.number(this.#lastPaymentOffset);
    output.text(configuration?.canonicalJson ?? '');
    this.publications.save(output);
    this.#models.save(output);
    output.number(this.#fallbacks.size);
    for (const fallback of this.#fallbacks.values()) saveRecord(output, codecs.fallback, fallback);
    this.posture.save(output);
    this.lists.save(output);
    this.#recentIds.save(output);
    features?.save(output);
  }

  /** Takes the place of an engine that saved: the next record is the one after its last. Throws SavedStateError. */
  async load(input: StateInput): Promise<void> {
    this.#nextOffset = input.number();
    this.#lastPaymentOffset = input.number();
    const content = input.text();
    this.publications.load(input);
    await this.#models.load(input);
    this.#fallbacks.clear();
    for (let left = input.number(); left > 0; left--) {
      const fallback = loadRecord(input, codecs.fallback);
      if (fallback !== null) this.#fallbacks.set(fallback.transactionId, fallback);
    }
    this.posture.load(input);
    this.lists.load(input);
    this.#recentIds.load(input);
    const { featuresOnly } = this.#options;
    if (featuresOnly !== undefined) {
      featuresOnly.load(input);
    } else if (content !== '') {
      const configuration = configurationOf(content, `before offset ${String(this.#nextOffset)}`);
      this.#configuration = configuration;
      const features = this.#services.createFeatures(configuration.catalogue);
      try {
        features.load(input);
      } catch (error) {
        features.close();
        throw error;
      }
      this.#features?.close();
      this.#features = features;
      this.lists.timeMs = features.timeMs;
      this.#waiting = new WaitingPayments(this.#options.maxBatch, configuration.catalogue.names.length);
    }
    this.#newDecider();
  }

  /** Returns what must be waited for; null, as most payments have it: nothing. A promise for each would be garbage for each. */
  #advancePayment(
    ledgerOffset: number,
    payload: Buffer,
    ingestTimeMs: number,
    outputs: EngineOutput[],
  ): Promise<void> | null {
    this.#lastPaymentOffset = ledgerOffset;
    const transaction = codecs.transaction.decode(payload);
    const contentHash = contentHashOf(payload);
    const seen = this.#recentIds.find(transaction.transactionId);
    if (seen >= 0) {
      if (ledgerOffset <= this.#options.decidedThrough) return null;
      return this.#addRepeat(transaction, ledgerOffset, contentHash, ingestTimeMs, outputs);
    }
    if (!this.#hasExpiredEntries())
      return this.#addPayment(transaction, ledgerOffset, contentHash, ingestTimeMs, outputs);
    return this.#dropExpired(outputs).then(async () => {
      await this.#addPayment(transaction, ledgerOffset, contentHash, ingestTimeMs, outputs);
    });
  }

  /** A payment whose id is new. Returns what must be waited for. */
  #addPayment(
    transaction: Transaction,
    ledgerOffset: number,
    contentHash: string,
    ingestTimeMs: number,
    outputs: EngineOutput[],
  ): Promise<void> | null {
    const { originalTransactionId } = transaction;
    // Before the memory makes room for this payment's id.
    const original = originalTransactionId === null ? -1 : this.#recentIds.find(originalTransactionId);
    const originalOffset = original < 0 ? -1 : this.#recentIds.ledgerOffset(original);
    this.#recentIds.add(transaction.transactionId, ledgerOffset, contentHash);
    const features = this.#features;
    if (features === null) throw new Error(`the payment at offset ${String(ledgerOffset)} comes before any rule set`);
    if (originalTransactionId !== null) features.addReversal(transaction, originalOffset);
    const waiting = this.#waiting;
    const isLate = features.addTransaction(transaction, ledgerOffset, waiting.features, waiting.nextBase);
    if (ledgerOffset <= this.#options.decidedThrough) return null;
    const engineTimeMs = features.timeMs;
    waiting.payments.push({
      row: waiting.payments.length,
      ledgerOffset,
      transaction,
      contentHash,
      engineTimeMs,
      isLate,
      riskLevel: this.posture.riskLevel(engineTimeMs),
      degradation: this.posture.degradation(engineTimeMs),
    });
    this.#waitingTimes.push(ingestTimeMs);
    return waiting.isFull ? this.#decideWaiting(outputs) : null;
  }

  /** A payment whose id was seen before. */
  async #addRepeat(
    transaction: Transaction,
    ledgerOffset: number,
    contentHash: string,
    ingestTimeMs: number,
    outputs: EngineOutput[],
  ): Promise<void> {
    await this.#decideWaiting(outputs);
    const decision = await this.#repeat(transaction, ledgerOffset, contentHash);
    outputs.push({ transaction, ingestTimeMs, decision });
  }

  async #advanceOther(offset: number, record: DecodedLedgerRecord, outputs: EngineOutput[]): Promise<void> {
    if (this.#options.featuresOnly !== undefined && !CHANGE_FEATURES.has(record.kind)) return;
    switch (record.kind) {
      case 'label':
        this.#features?.addLabel(record.event);
        return;
      case 'outcome':
        this.#features?.addOutcome(record.event);
        return;
      case 'tick':
        this.#features?.advanceTime(record.event.eventTimeMs);
        if (this.#hasExpiredEntries()) await this.#dropExpired(outputs);
        return;
      case 'fallback':
        this.#addFallback(record.event);
        return;
      case 'listChange':
        await this.#decideWaiting(outputs);
        this.lists.timeMs = this.#features?.timeMs ?? 0;
        this.lists.apply(record.event);
        // A thousand bulk changes may wait: health checks and stops must have their turn.
        if (record.event.further.length > 0) await setImmediate();
        return;
      case 'posture':
        await this.#decideWaiting(outputs);
        this.posture.apply(record.event);
        return;
      case 'ruleSetPublication':
        await this.#decideWaiting(outputs);
        await this.#publish(offset, record.event);
        return;
      case 'modelPromotion':
        await this.#decideWaiting(outputs);
        await this.#models.apply(offset, record.event);
        this.#newDecider();
        return;
      case 'deadLetter':
      case 'transaction':
        return;
    }
  }

  /** Asked apart, since hardly any record finds one: a payment then waits for no promise. */
  #hasExpiredEntries(): boolean {
    this.lists.timeMs = this.#features?.timeMs ?? 0;
    return this.lists.hasExpired;
  }

  /** Lets a few list entries go that have expired; payments that were before that must be decided first. */
  async #dropExpired(outputs: EngineOutput[]): Promise<void> {
    await this.#decideWaiting(outputs);
    this.lists.timeMs = this.#features?.timeMs ?? 0;
    this.lists.dropExpired(EXPIRED_PER_RECORD);
  }

  async #publish(offset: number, publication: RuleSetPublication): Promise<void> {
    if (!this.publications.apply(offset, publication)) return;
    const { content, version } = publication;
    const configuration =
      this.#services.compiled(content) ?? configurationOf(content, `${version} at offset ${String(offset)}`);
    const { recentIds, approvals } = configuration.definition;
    this.publications.tookEffect(approvals ?? 0);
    this.#recentIds.resize(recentIds);
    if (this.#options.featuresOnly !== undefined) return;
    this.lists.declare(configuration.definition.lists);
    if (this.#features?.catalogue.sha256 !== configuration.catalogue.sha256) {
      const before = this.#features;
      this.#features = await this.#services.buildFeatures(configuration.catalogue, offset);
      before?.close();
      this.#waiting = new WaitingPayments(this.#options.maxBatch, configuration.catalogue.names.length);
    }
    this.#configuration = configuration;
    this.#newDecider();
  }

  #newDecider(): void {
    if (this.#configuration === null) return;
    const { catalogue } = this.#configuration;
    // A model of another catalogue cannot score these features: decisions then say that the model was left out.
    const canScore = ({ metadata }: Scorer): boolean => scoresCatalogue(metadata, catalogue);
    const { champion, share } = this.#models;
    const models = {
      champion: champion !== null && canScore(champion) ? champion : null,
      share: share !== null && canScore(share.scorer) ? share : null,
    };
    this.#decider = new Decider(this.#configuration, models, this.lists, this.#options.maxBatch);
  }

  async #decideWaiting(outputs: EngineOutput[]): Promise<void> {
    const waiting = this.#waiting;
    if (waiting.payments.length === 0) return;
    if (this.#decider === null) throw new Error('payments wait before any rule set was published');
    const decisions = await this.#decider.decide(waiting);
    waiting.payments.forEach(({ transaction, ledgerOffset }, index) => {
      const decision = decisions[index];
      if (decision?.ledgerOffset !== ledgerOffset)
        throw new Error('the decisions are not those of the waiting payments');
      const ids = this.#recentIds;
      const seen = ids.find(transaction.transactionId);
      if (seen >= 0 && ids.ledgerOffset(seen) === ledgerOffset) ids.setAnswer(seen, decision);
      outputs.push({ transaction, ingestTimeMs: this.#waitingTimes[index] ?? 0, decision });
    });
    waiting.clear();
    this.#waitingTimes.length = 0;
  }

  /** The record of a payment whose id was seen before: the first one's verdict, and where to find the rest. */
  async #repeat(transaction: Transaction, ledgerOffset: number, contentHash: string): Promise<Decision> {
    const configuration = this.#configuration;
    if (configuration === null) throw new Error('a payment was decided before any rule set was published');
    const ids = this.#recentIds;
    const seen = ids.find(transaction.transactionId);
    const originalOffset = ids.ledgerOffset(seen);
    const remembered = ids.answer(seen);
    const answer = remembered ?? (await this.#services.storedDecision(originalOffset));
    if (remembered === null) ids.setAnswer(seen, answer);
    const { verdict, score, mode } = answer;
    return {
      ledgerOffset,
      transactionId: transaction.transactionId,
      status: ids.hasContent(seen, contentHash) ? 'duplicate' : 'conflict',
      originalOffset,
      contentHash,
      engineTimeMs: this.#features?.timeMs ?? 0,
      late: false,
      verdict,
      score,
      modelScore: null,
      mode,
      riskLevel: this.posture.riskLevel(this.#features?.timeMs ?? 0),
      degraded: [],
      reasons: [],
      letThrough: null,
      rulesFired: [],
      rulePoints: 0,
      groupScores: [],
      ruleErrors: [],
      ruleSet: configuration.definition.ruleSetVersion,
      ruleSetSha256: configuration.sha256,
      modelId: null,
      modelVersion: null,
      modelSha256: null,
      catalogueSha256: configuration.catalogue.sha256,
      explanation: null,
      features: [],
    };
  }

  #addFallback(fallback: Fallback): void {
    this.#fallbacks.set(fallback.transactionId, fallback);
    if (this.#fallbacks.size <= MAX_FALLBACKS) return;
    for (const oldest of this.#fallbacks.keys()) {
      this.#fallbacks.delete(oldest);
      return;
    }
  }
}

/** List entries dropped with one record: a fifth of a millisecond. */
const EXPIRED_PER_RECORD = 64;

/** Records that an engine needs which only keeps features: of what else there is it would hand over as much again. */
const CHANGE_FEATURES: ReadonlySet<DecodedLedgerRecord['kind']> = new Set([
  'label',
  'outcome',
  'tick',
  'ruleSetPublication',
]);

/** Fallbacks remembered for retries; beyond it the oldest is forgotten here and remains in ledger and history. */
const MAX_FALLBACKS = 100_000;

/** A published configuration was checked before it was published; one that cannot be compiled needs another Sluice. */
function configurationOf(content: string, which: string): CompiledConfiguration {
  const parsed = parseConfiguration(content);
  const compiled = parsed.ok ? compileConfiguration(parsed.value) : parsed;
  if (compiled.ok) return compiled.value;
  const problem = compiled.problems[0]?.message ?? 'unknown';
  throw new Error(`SLUICE_RULE_SET_UNREADABLE: rule set ${which}: ${problem}`);
}
