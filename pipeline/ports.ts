/**
 * Everything the pipeline needs from the outside. infra/ implements these; nothing in pipeline/ knows how.
 * Each port has a conformance suite in pipeline/testing that every adapter must pass.
 */
import type { StateInput, StateOutput } from '../operators/savedState.ts';
import type { Seal } from './chain/seal.ts';
import type { Decision, DecisionMode, Degradation, RiskLevel, Verdict } from '../schemas/types.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';

/** One record as the ledger keeps it: `value` is an Avro single-object encoded LedgerRecord. */
export interface LedgerRow {
  readonly offset: number;
  readonly value: Buffer;
}

/** The totally ordered log. Offsets start at 0, rise by one and have no gaps. One writer, any number of readers. */
export interface Ledger {
  /**
   * Appends all values or none, at consecutive offsets, and resolves to the first one's offset once they are durable.
   * Calls made in the same moment share one commit. Rejects with LedgerUnavailableError when the ledger cannot take
   * them (disk full, too many waiting, closed); none of them is then in the ledger.
   */
  append(values: readonly Buffer[]): Promise<number>;
  /** The offset the next record will get, as of the last record that a reader can see. */
  endOffset(): number;
  /** Records from `fromOffset` on, at most `maxRecords`, fewer at the end; empty past the end. */
  read(fromOffset: number, maxRecords: number): Promise<readonly LedgerRow[]>;
  /** Batches of records from `fromOffset` on, for ever, waiting at the end, until `signal` aborts. */
  tail(fromOffset: number, options: TailOptions): AsyncIterable<readonly LedgerRow[]>;
  close(): Promise<void>;
}

export interface TailOptions {
  readonly maxRecords: number;
  readonly signal: AbortSignal;
}

/** The ledger cannot take a record now: nothing was written, the caller may try again later. */
export class LedgerUnavailableError extends Error {
  /** FULL: no room on the disk. BUSY: too much waits already. CLOSED: it was closed. FAILED: the disk does not work. */
  readonly code: 'SLUICE_LEDGER_FULL' | 'SLUICE_LEDGER_BUSY' | 'SLUICE_LEDGER_CLOSED' | 'SLUICE_LEDGER_FAILED';
  constructor(code: LedgerUnavailableError['code'], message: string) {
    super(message);
    this.name = 'LedgerUnavailableError';
    this.code = code;
  }
}

/** A decision as it is kept: `value` is an Avro single-object encoded Decision. */
export interface DecisionRow {
  readonly ledgerOffset: number;
  readonly transactionId: string;
  /** False for a duplicate or conflict: the id keeps pointing at the first decision. */
  readonly isFirst: boolean;
  readonly value: Buffer;
}

/** The seal of one ledger record and its decision: `value` as encodeSeal (chain/seal.ts) makes it. */
export interface SealRow {
  readonly ledgerOffset: number;
  readonly value: Buffer;
}

/**
 * Decisions by ledger offset and by transaction id, and the chain of hashes over all records and decisions. Writing the same
 * decision or seal twice changes nothing.
 */
export interface DecisionStore {
  /** Resolves once all are durable: the decisions with the seals, or nothing. */
  put(decisions: readonly DecisionRow[], seals?: readonly SealRow[]): Promise<void>;
  get(ledgerOffset: number): Promise<Buffer | undefined>;
  /** The first decision with this transaction id. */
  find(transactionId: string): Promise<Buffer | undefined>;
  /** Decisions with fromOffset <= ledgerOffset < toOffset, in order. */
  read(
    fromOffset: number,
    toOffset: number,
  ): Promise<readonly { readonly ledgerOffset: number; readonly value: Buffer }[]>;
  /** Greatest ledger offset that has a decision; -1 when none has. */
  lastOffset(): number;
  /** Notes that the chain begins with the record at this offset, unless that was noted before. Resolves to what is noted. */
  beginChain(ledgerOffset: number): Promise<number>;
  /** Offset of the first record that is sealed; null before it is known. */
  chainBegin(): number | null;
  /** Seals with fromOffset <= ledgerOffset < toOffset, in order. */
  seals(fromOffset: number, toOffset: number): Promise<readonly SealRow[]>;
  /** The seal with the greatest offset. */
  lastSeal(): SealRow | null;
}

/** Model files by the SHA-256 of their content, so that a replay finds the very bytes that scored. */
export interface ModelStore {
  put(sha256: string, model: Uint8Array): Promise<void>;
  get(sha256: string): Promise<Uint8Array | undefined>;
}

/** What a snapshot says of itself: enough to refuse it before its state is read. */
export interface SnapshotHeader {
  /** STATE_LAYOUT of the Sluice that saved it. */
  readonly layout: number;
  /** The first ledger record that is not in it. */
  readonly offset: number;
  /** Offset of the newest payment in it; -1 when there is none. */
  readonly lastPaymentOffset: number;
  /** Which ledger it is of: SHA-256 of record 0, and of the record before `offset`. */
  readonly firstRecordSha256: string;
  readonly lastRecordSha256: string;
  /** What is in force at `offset`, null before the first of its kind; for people, and compared once the state is loaded. */
  readonly ruleSet: string | null;
  readonly configurationSha256: string | null;
  readonly catalogueSha256: string | null;
  readonly modelSha256: string | null;
  readonly riskLevel: RiskLevel;
  readonly degradation: Degradation;
}

/** The engine's state as of some ledger offsets, so that a start need not read the whole ledger. */
export type StoreName = 'ledger' | 'decisions' | 'seals';

/** The rows of one store as they lie: keys are ledger offsets unless somebody put in others. */
export interface StoredRow {
  readonly key: number;
  readonly value: Buffer;
}

/** How much a store holds. */
export interface StoreExtent {
  readonly rows: number;
  /** Behind the greatest key. */
  readonly endOffset: number;
}

/** The data folder read for a check: gaps and foreign rows are given as they are, and no row is taken for sound. */
export interface StoredRows {
  /** All as of one moment, or the ledger as of a later one, so that it holds all that is decided. */
  extents(): Readonly<Record<StoreName, StoreExtent>> & { readonly chainBegin: number | null; readonly ids: number };
  /** Rows with fromKey <= key < toKey, in order. */
  read(store: StoreName, fromKey: number, toKey: number): readonly StoredRow[];
  /** What the index of ids says: the offset of the first decision on this transaction. */
  firstOffset(transactionId: string): number | undefined;
}

/** A row of a history table that is not what ledger and decisions say. */
export interface HistoryDifference {
  readonly table: string;
  /** Null: of the table as a whole. */
  readonly ledgerOffset: number | null;
  readonly kind: 'changed' | 'missing' | 'added';
  /** Which columns, and what they hold instead; at most a few hundred characters. */
  readonly detail: string;
}

export interface HistoryComparison {
  /** Rows found, by table. */
  readonly rows: ReadonlyMap<string, number>;
  readonly differences: readonly HistoryDifference[];
}

/** The history read for a check. */
export interface HistoryAudit {
  /** Every record below this offset should be in history; the differences are of whole tables. */
  begin(): Promise<{ readonly endOffset: number; readonly differences: readonly HistoryDifference[] }>;
  /** Makes decisions of these catalogues known. */
  learn(columns: readonly FeatureColumns[]): void;
  /** Compares all tables' rows with what they should be, at the offsets of the batch's records; these need not be all of its range. */
  compare(batch: HistoryBatch): Promise<HistoryComparison>;
  /** Rows behind all that was ever begun to be written, and what else belongs to no range. */
  end(): Promise<readonly HistoryDifference[]>;
}

export interface SnapshotStore {
  /** Offsets of the snapshots there are, the newest first. None of them is looked into. */
  offsets(): Promise<readonly number[]>;
  /** Rejects with SnapshotError when the snapshot cannot be used; so does `read`. */
  header(offset: number): Promise<SnapshotHeader>;
  /** All that was saved, whole and checked. `onProgress` gets the share that is read, up to 1. */
  read(offset: number, onProgress?: (share: number) => void): Promise<StateInput & { readonly isAtEnd: boolean }>;
  /**
   * Keeps what `save` gives, or nothing when it throws, and then lets go of all but the newest few, and of what is ahead of
   * it: that was of a ledger which is gone. Resolves to the bytes once they are durable. `save` and the writing may hold the
   * calling thread until they are done. A disk that has not twice `expectedBytes` left is not written to: the ledger needs it.
   */
  write(header: SnapshotHeader, expectedBytes: number, save: (output: StateOutput) => void): Promise<number>;
}

/** A snapshot that cannot be used. The message is one line for the operator. */
export class SnapshotError extends Error {
  /**
   * DAMAGED: not what was written. VERSION: of another Sluice or machine. FOREIGN: does not fit this ledger or its
   * decisions. IO: the disk cannot read or write it.
   */
  readonly code:
    'SLUICE_SNAPSHOT_DAMAGED' | 'SLUICE_SNAPSHOT_VERSION' | 'SLUICE_SNAPSHOT_FOREIGN' | 'SLUICE_SNAPSHOT_IO';
  constructor(code: SnapshotError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SnapshotError';
    this.code = code;
  }
}

/** A run of ledger records with the decisions on their transactions: what history takes in one go. */
export interface HistoryBatch {
  readonly fromOffset: number;
  /** Exclusive. */
  readonly toOffset: number;
  readonly records: readonly HistoryRecord[];
  /** What the champion and its challengers made of payments in it, while there are challengers. */
  readonly modelScores?: readonly ModelScore[];
}

/** What one model made of one payment. */
export interface ModelScore {
  readonly ledgerOffset: number;
  readonly transactionId: string;
  readonly eventTimeMs: number;
  readonly modelId: string;
  readonly modelVersion: string;
  readonly modelSha256: string;
  /** Whether the verdict was made with it. */
  readonly isDeciding: boolean;
  readonly probability: number;
  /** 0 to 1000, by the model's calibration. */
  readonly score: number;
}

export interface HistoryRecord {
  readonly offset: number;
  readonly ingestTimeMs: number;
  readonly source: string;
  readonly event: LedgerEvent;
  /** The ledger row's own bytes, so that a lost ledger can be rebuilt from history. */
  readonly value: Buffer;
  /** For a transaction: its decision. */
  readonly decision: Decision | null;
  /** Null for a record that is older than the chain. */
  readonly seal: Seal | null;
}

/** Names and order of a catalogue's features: history keeps one typed column for each. */
export interface FeatureColumns {
  readonly catalogueSha256: string;
  readonly names: readonly string[];
  /** What each feature says, in the order of names: the columns' comments. */
  readonly descriptions?: readonly string[];
}

/** Where analysts query. May be slow or away; the ledger is its buffer. */
export interface History {
  /** Creates or widens tables and views. Idempotent. */
  prepare(columns: readonly FeatureColumns[]): Promise<void>;
  /**
   * The ledger range to write next: `toOffset` is set when a batch of exactly that range was begun before and may
   * be half written, so it must be written again with the same bounds.
   */
  position(): Promise<{ readonly fromOffset: number; readonly toOffset: number | null }>;
  /** Every model promotion before the offset that history holds, in order, as ledger records. */
  modelPromotions(beforeOffset: number): Promise<readonly LedgerRow[]>;
  /** Writes the batch so that writing it again changes nothing. */
  write(batch: HistoryBatch): Promise<void>;
  close(): Promise<void>;
}

/** Builds feature states beside the running engine, which goes on deciding. */
export interface BackfillRunner {
  /** Starts to build the state of this configuration's catalogue (its canonical JSON) from the ledger, and then follows it. */
  start(configuration: string): BackfillRun;
}

export interface BackfillRun {
  /** Offset of the next record to take. */
  readonly nextOffset: number;
  /** Rejects when the run cannot go on. */
  readonly failed: Promise<never>;
  /** The state after some number of records, for Engine.load of an engine that only keeps features. Nothing follows it. */
  handOver(): Promise<StateInput>;
  /** Ends the run, and lets go of what was handed over: it must have been loaded by then. */
  end(): Promise<void>;
}

/** Epoch milliseconds, UTC. */
export type Clock = () => number;

/** Calls back once, so many milliseconds from now; what it returns calls that off. Time as the clock's. */
export type Timer = (delayMs: number, onTime: () => void) => () => void;

/** What the live feed (the console) is told about each decision. No personal data beyond the entity ids shown. */
export interface LiveDecision {
  readonly ledgerOffset: number;
  readonly transactionId: string;
  readonly eventTimeMs: number;
  readonly verdict: Verdict;
  readonly score: number;
  readonly mode: DecisionMode;
  readonly amountMinor: number;
  readonly currency: string;
  readonly merchant: string | null;
  readonly channel: string;
  readonly reasons: Decision['reasons'];
}

/** Lines for the operator: what happened, in one sentence, and its particulars. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Counters and timings. infra/metrics turns them into Prometheus series. */
export interface Telemetry {
  /** A decision was made; `latencyMs` from ingest's acceptance to the durable decision. */
  decision(decision: Decision, latencyMs: number): void;
  /** Time one stage took, in milliseconds. */
  stage(stage: StageName, durationMs: number): void;
  /** An input was rejected with this code. */
  rejected(code: string): void;
  /** A retry was answered with the earlier verdict, or refused for other content. */
  repeated(kind: 'duplicate' | 'conflict'): void;
  /** The deadline passed and the fallback verdict was given. */
  fallback(): void;
  /** A late event beyond the lateness bound. */
  late(): void;
  /** A rule began to fire far more often than usual. */
  firingAlert(rule: string): void;
  gauge(name: GaugeName, value: number): void;
  /** Payments that a model scored beside the verdict's, and those that it had no time for. */
  challenged(model: string, scored: number, skipped: number): void;
}

export type StageName = 'parse' | 'append' | 'advance' | 'decide' | 'store' | 'historyWrite';
export type GaugeName =
  | 'ledgerEndOffset'
  | 'engineOffset'
  | 'engineLagRecords'
  | 'historyOffset'
  | 'historyLagRecords'
  | 'appendQueueDepth'
  | 'waitingRequests'
  | 'featureKeys'
  /** 0 normal, 1 elevated, 2 lockdown. */
  | 'riskLevel'
  /** 0 full, 1 noModel, 2 rulesOnly. */
  | 'degradation'
  /** Rules that fire far more often than usual. */
  | 'rulesOverLimit'
  /** Entries of all lists, what has just expired among them; the bytes that they take. */
  | 'listEntries'
  | 'listBytes'
  /** Payments whose ids the engine could not remember. */
  | 'refusedIds'
  /** Seconds that the start's reading of a snapshot took. */
  | 'restoreSeconds'
  /** Of the newest snapshot: its offset, when it was complete (epoch seconds), its bytes, the seconds its writing took. */
  | 'snapshotOffset'
  | 'snapshotTimeSeconds'
  | 'snapshotBytes'
  | 'snapshotSeconds';
