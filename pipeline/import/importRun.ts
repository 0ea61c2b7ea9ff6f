import { setTimeout as sleep } from 'node:timers/promises';
import { codecs } from '../../schemas/codec.ts';
import { encodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import { parseJson } from '../../schemas/parse.ts';
import type { LedgerEvent } from '../../schemas/ledgerEvent.ts';
import type { Transaction } from '../../schemas/types.ts';
import type { Refusal } from '../gateway.ts';
import { deadLetterOf } from '../ingest/deadLetter.ts';
import type { IngestServices } from '../ingest/ingestContext.ts';
import { labelOf, outcomeOf } from '../ingest/referToPayment.ts';
import { toTransaction } from '../toTransaction.ts';
import type { ImportEvent } from './mergeLabels.ts';

export interface ImportProgress {
  /** Events of the file that are in the ledger, those of earlier runs among them. */
  readonly events: number;
  readonly payments: number;
  readonly labels: number;
  readonly outcomes: number;
  readonly deadLetters: number;
  /** Payments among them that an earlier run put there. */
  readonly resumedPayments: number;
}

export interface ImportOptions {
  readonly services: Pick<IngestServices, 'ledger' | 'decisions' | 'clock' | 'telemetry' | 'cardKey'>;
  /** Ledger source of the records: names the file by its content. */
  readonly source: string;
  /** Next offset that the engine will take: the import never runs far ahead of it. */
  readonly engineOffset: () => number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImportProgress) => void;
}

const APPEND_RECORDS = 500;
const MAX_ENGINE_LAG = 8_192;
/** More than the engine lags, so that what is forgotten is decided. */
const MAX_FRESH = 100_000;
const LAG_POLL_MS = 2;
const READ_RECORDS = 4_096;

/**
 * Puts the events of a file into the ledger, as many as the engine can follow. Each event becomes exactly one record (a refused one a
 * dead letter), so the records of this source say how far an interrupted import came, and it goes on from there.
 */
export async function runImport(events: AsyncIterable<ImportEvent>, options: ImportOptions): Promise<ImportProgress> {
  const run = new ImportRun(options);
  await run.resume();
  for await (const event of events) {
    if (options.signal.aborted) break;
    await run.take(event);
  }
  await run.flush();
  return run.progress;
}

const REFUSED_PAYMENT: Refusal = {
  code: 'SLUICE_TRANSACTION_UNKNOWN',
  field: 'transactionId',
  message: 'no payment with this transaction id is in the ledger',
};

/** A payment beyond it would move the engine's time, and with it every window, past all others for good. */
const MAX_FUTURE_MS = 86_400_000;

const FUTURE_PAYMENT: Refusal = {
  code: 'SLUICE_INPUT_FUTURE',
  field: 'eventTimeMs',
  message: "must not be more than a day ahead of this machine's clock",
};

class ImportRun {
  readonly #options: ImportOptions;
  #alreadyDone = 0;
  #seen = 0;
  #counts = { payments: 0, labels: 0, outcomes: 0, deadLetters: 0, resumedPayments: 0 };
  #batch: Buffer[] = [];
  /**
   * Offsets of this run's payments that something may still follow, by transaction id; null while in the batch. The oldest
   * are forgotten: by then they are decided, and found in the decision store.
   */
  readonly #fresh = new Map<string, number | null>();
  #batchIds: string[] = [];
  #lastPaymentInBatch = -1;
  #lastPaymentOffset = -1;

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  get progress(): ImportProgress {
    return { events: this.#seen, ...this.#counts };
  }

  /** Counts this source's records in the ledger. */
  async resume(): Promise<void> {
    const { ledger } = this.#options.services;
    const end = ledger.endOffset();
    for (let offset = 0; offset < end;) {
      const rows = await ledger.read(offset, READ_RECORDS);
      for (const row of rows) {
        const { source, kind } = codecs.ledgerRecord.decode(row.value);
        if (source !== this.#options.source) continue;
        this.#alreadyDone++;
        if (kind === 'transaction') this.#counts.payments++;
        else if (kind === 'label') this.#counts.labels++;
        else if (kind === 'outcome') this.#counts.outcomes++;
        else this.#counts.deadLetters++;
      }
      offset += rows.length;
    }
    this.#counts.resumedPayments = this.#counts.payments;
  }

  async take(event: ImportEvent): Promise<void> {
    this.#seen++;
    if (this.#seen <= this.#alreadyDone) return;
    if (event.kind === 'transaction') this.#takePayment(event.value, event.isFollowed);
    else await this.#takeFollowUp(event.kind, event.value, event.transactionId);
    if (this.#batch.length >= APPEND_RECORDS) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const { services, engineOffset, onProgress } = this.#options;
    const first = await services.ledger.append(this.#batch);
    this.#batchIds.forEach((id, index) => {
      if (id !== '') this.#fresh.set(id, first + index);
    });
    if (this.#lastPaymentInBatch >= 0) this.#lastPaymentOffset = first + this.#lastPaymentInBatch;
    this.#lastPaymentInBatch = -1;
    this.#batch = [];
    this.#batchIds = [];
    onProgress(this.progress);
    while (services.ledger.endOffset() - engineOffset() > MAX_ENGINE_LAG && !this.#options.signal.aborted) {
      await sleep(LAG_POLL_MS);
    }
  }

  #takePayment(value: Readonly<Record<string, unknown>>, isFollowed: boolean): void {
    const parsed = parseJson('gatewayTransaction', value);
    if (!parsed.ok) {
      this.#bury('transaction', value, parsed);
      return;
    }
    const converted = toTransaction(parsed.value, this.#options.services.cardKey);
    if (parsed.value.eventTimeMs > this.#now() + MAX_FUTURE_MS) this.#bury('transaction', value, FUTURE_PAYMENT);
    else if (converted.ok) this.#addPayment(converted.transaction, isFollowed);
    else this.#bury('transaction', value, converted);
  }

  #addPayment(event: Transaction, isFollowed: boolean): void {
    this.#counts.payments++;
    this.#lastPaymentInBatch = this.#batch.length;
    const record = encodeLedgerRecord({ kind: 'transaction', event }, this.#now(), this.#options.source);
    this.#add(record, isFollowed ? event.transactionId : '');
  }

  async #takeFollowUp(kind: 'label' | 'outcome', value: unknown, transactionId: string): Promise<void> {
    const parsed = kind === 'label' ? parseJson('label', value) : parseJson('outcome', value);
    const transactionOffset = await this.#offsetOf(transactionId);
    if (!parsed.ok || transactionOffset === null) {
      this.#bury(kind, value, parsed.ok ? REFUSED_PAYMENT : parsed);
      return;
    }
    const record: LedgerEvent =
      'label' in parsed.value ? labelOf(parsed.value, transactionOffset) : outcomeOf(parsed.value, transactionOffset);
    if (kind === 'label') this.#counts.labels++;
    else this.#counts.outcomes++;
    this.#add(encodeLedgerRecord(record, this.#now(), this.#options.source), '');
  }

  /** Null: the payment is not in the ledger. */
  async #offsetOf(transactionId: string): Promise<number | null> {
    if (this.#fresh.get(transactionId) === null) await this.flush();
    const fresh = this.#fresh.get(transactionId);
    if (fresh !== undefined) return fresh;
    return (await this.#storedOffset(transactionId)) ?? (await this.#storedOffsetOnceDecided(transactionId));
  }

  async #storedOffset(transactionId: string): Promise<number | null> {
    const stored = await this.#options.services.decisions.find(transactionId);
    return stored === undefined ? null : codecs.decision.decode(stored).ledgerOffset;
  }

  /** Looks again when everything appended so far is decided. */
  async #storedOffsetOnceDecided(transactionId: string): Promise<number | null> {
    const { services, signal } = this.#options;
    await this.flush();
    if (services.decisions.lastOffset() >= this.#lastPaymentOffset) return null;
    while (services.decisions.lastOffset() < this.#lastPaymentOffset && !signal.aborted) await sleep(LAG_POLL_MS);
    return this.#storedOffset(transactionId);
  }

  #bury(subject: 'transaction' | 'label' | 'outcome', value: unknown, refusal: Refusal): void {
    const { services, source } = this.#options;
    services.telemetry.rejected(refusal.code);
    this.#counts.deadLetters++;
    const sender = { source, contentType: 'text/csv' };
    const event = deadLetterOf(sender, this.#now(), subject, { format: 'json', value }, refusal, null);
    this.#add(encodeLedgerRecord({ kind: 'deadLetter', event }, this.#now(), source), '');
  }

  #add(record: Buffer, transactionId: string): void {
    this.#batch.push(record);
    // What follows a payment that came twice belongs to the first.
    const isNew = transactionId !== '' && !this.#fresh.has(transactionId);
    this.#batchIds.push(isNew ? transactionId : '');
    if (!isNew) return;
    this.#fresh.set(transactionId, null);
    const [oldest] = this.#fresh.keys();
    if (this.#fresh.size > MAX_FRESH && oldest !== undefined) this.#fresh.delete(oldest);
  }

  #now(): number {
    return this.#options.services.clock();
  }
}
