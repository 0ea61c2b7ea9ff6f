import { setImmediate as nextTurn } from 'node:timers/promises';
import { codecs } from '../../schemas/codec.ts';
import { decodeLedgerRecord, type DecodedLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { Decision } from '../../schemas/types.ts';
import { featureColumns } from '../featureColumns.ts';
import { contentHashOf } from '../ingest/contentHash.ts';
import type { HistoryAudit, HistoryDifference, HistoryRecord, StoredRow, StoredRows, StoreName } from '../ports.ts';
import { ChainCheck } from './chainCheck.ts';
import { Findings, type Finding, type StoreReport } from './findings.ts';
import { decodeSeal } from './seal.ts';

/** A chain hash that was kept elsewhere: of all records up to this offset, itself included. */
export interface Anchor {
  readonly ledgerOffset: number;
  readonly chainSha256: string;
}

export interface VerifyReport {
  /** Records in the ledger. */
  readonly records: number;
  /** The chain holds the records from `chainBegin` on, up to before `sealedTo`; null: no record is sealed. */
  readonly chainBegin: number | null;
  readonly sealedTo: number;
  /** The newest seal: what to keep elsewhere. */
  readonly head: Anchor | null;
  /** Records in history that are complete there; null: history was not looked at. */
  readonly historyTo: number | null;
  readonly stores: readonly StoreReport[];
  /** The first of each store. */
  readonly findings: readonly Finding[];
  readonly totalFindings: number;
  readonly seconds: number;
}

export interface VerifyServices {
  readonly rows: StoredRows;
  /** Null: only the data folder. */
  readonly history: HistoryAudit | null;
}

export interface VerifyOptions {
  /** Each must be found in the chain. */
  readonly anchors: readonly Anchor[];
  readonly onProgress: (done: number, total: number) => void;
}

/** Records looked at together: with their decisions and history rows some tens of MB. */
const RANGE_RECORDS = 4_096;
const RANGE_BYTES = 16 * 1024 * 1024;
const STORES: readonly StoreName[] = ['ledger', 'decisions', 'seals'];

/**
 * Looks at every record, decision, seal and history row once, in the ledger's order, and names each that is not what it was
 * sealed as, or that stands in one store only. Reads only; memory does not grow with the ledger.
 */
export async function verifyStores(services: VerifyServices, options: VerifyOptions): Promise<VerifyReport> {
  const startMs = performance.now();
  const run = new Verification(services, options);
  const report = await run.run();
  return { ...report, seconds: (performance.now() - startMs) / 1_000 };
}

/** One record and all that belongs to it. */
interface Entry {
  readonly offset: number;
  readonly record: Buffer | undefined;
  readonly decision: Buffer | undefined;
  readonly seal: Buffer | undefined;
}

class Verification {
  readonly #rows: StoredRows;
  readonly #history: HistoryAudit | null;
  readonly #options: VerifyOptions;
  readonly #findings = new Findings();
  readonly #chain = new ChainCheck();
  readonly #extents: ReturnType<StoredRows['extents']>;
  /** Rows whose keys are offsets, by store: the others are in no range. */
  readonly #seen = { ledger: 0, decisions: 0, seals: 0 };
  /** Findings of the range at hand about records and decisions that are not as sealed: history may say what they were. */
  #unsound = new Map<number, Finding[]>();
  #firsts = 0;
  #historyTo: number | null = null;

  constructor({ rows, history }: VerifyServices, options: VerifyOptions) {
    this.#rows = rows;
    this.#history = history;
    this.#options = options;
    this.#extents = rows.extents();
  }

  async run(): Promise<Omit<VerifyReport, 'seconds'>> {
    const { ledger, decisions, seals } = this.#extents;
    if (this.#history !== null) {
      const { endOffset, differences } = await this.#history.begin();
      this.#historyTo = endOffset;
      for (const difference of differences) this.#addDifference(difference, null);
    }
    const sealedTo = seals.endOffset;
    const end = Math.max(ledger.endOffset, decisions.endOffset, sealedTo);
    for (let from = 0; from < end;) {
      const entries = this.#read(from, Math.min(end, from + RANGE_RECORDS));
      const records = this.#check(entries);
      from += entries.length;
      await this.#compareHistory(from - entries.length, from, records);
      this.#addUnsound();
      this.#options.onProgress(from, end);
      await nextTurn();
    }
    await this.#checkWholes();
    const head = sealedTo === 0 ? null : { ledgerOffset: sealedTo - 1, chainSha256: this.#chain.head };
    return {
      records: ledger.rows,
      chainBegin: sealedTo === 0 ? null : this.#begin,
      sealedTo,
      head,
      historyTo: this.#historyTo,
      stores: this.#findings.stores(),
      findings: this.#findings.named,
      totalFindings: this.#findings.total,
    };
  }

  get #begin(): number {
    return this.#extents.chainBegin ?? Infinity;
  }

  /** The entries of a range, at least one; fewer than asked for when they are large. */
  #read(from: number, to: number): readonly Entry[] {
    const byStore = STORES.map((store) => this.#readStore(store, from, to));
    const [records, decisions, seals] = byStore;
    const entries: Entry[] = [];
    let bytes = 0;
    for (let offset = from; offset < to; offset++) {
      const record = records?.get(offset);
      const decision = decisions?.get(offset);
      bytes += (record?.length ?? 0) + (decision?.length ?? 0);
      if (bytes > RANGE_BYTES && entries.length > 0) break;
      entries.push({ offset, record, decision, seal: seals?.get(offset) });
    }
    STORES.forEach((store, index) => {
      const rows = entries.filter(({ offset }) => byStore[index]?.has(offset) === true).length;
      this.#seen[store] += rows;
      this.#findings.checked(store, rows);
    });
    return entries;
  }

  #readStore(store: StoreName, from: number, to: number): ReadonlyMap<number, Buffer> {
    const limit = Math.min(to, this.#extents[store].endOffset);
    const rows = from < limit ? this.#rows.read(store, from, limit) : [];
    return new Map(rows.map(({ key, value }: StoredRow) => [key, value]));
  }

  /** What can be compared with history: entries whose record, and decision if it is a payment, can be read. */
  #check(entries: readonly Entry[]): HistoryRecord[] {
    const records: HistoryRecord[] = [];
    for (const entry of entries) {
      const { offset, seal } = entry;
      const isSound = offset >= this.#begin ? this.#checkSealed(entry) : this.#checkUnsealed(entry);
      this.#checkAnchors(entry);
      const decoded = this.#decode(entry, isSound);
      if (decoded === null) continue;
      records.push({ ...decoded, seal: seal === undefined ? null : (decodeSeal(offset, seal) ?? null) });
    }
    return records;
  }

  /** Whether record and decision are what was sealed. */
  #checkSealed(entry: Entry): boolean {
    const { offset, record, decision, seal } = entry;
    const { ledger, decisions, seals } = this.#extents;
    if (offset >= seals.endOffset) {
      // Records at the end wait for their decision; there can be no decision without its seal.
      if (offset < decisions.endOffset && decision !== undefined)
        this.#add('decisions', entry, 'added', 'it has no seal');
      if (record === undefined && offset < ledger.endOffset) this.#add('ledger', entry, 'missing', '');
      return true;
    }
    const verdict = this.#chain.check(offset, record, decision, seal);
    if (verdict.seal !== null) this.#add('seals', entry, verdict.seal.kind, verdict.seal.detail);
    const unsound: Finding[] = [];
    const transactionId = transactionIdOf(entry);
    const about = { ledgerOffset: offset, transactionId, detail: '' };
    if (verdict.record !== 'sealed') unsound.push({ ...about, store: 'ledger', kind: verdict.record });
    if (verdict.decision !== 'sealed') unsound.push({ ...about, store: 'decisions', kind: verdict.decision });
    if (unsound.length > 0) this.#unsound.set(offset, unsound);
    return unsound.length === 0;
  }

  /** Of an older Sluice: nothing tells what the bytes were. */
  #checkUnsealed(entry: Entry): boolean {
    if (entry.seal !== undefined) this.#add('seals', entry, 'added', 'the chain begins later');
    if (entry.record === undefined) this.#add('ledger', entry, 'missing', '');
    return true;
  }

  #checkAnchors({ offset, seal }: Entry): void {
    for (const { ledgerOffset, chainSha256 } of this.#options.anchors) {
      if (ledgerOffset !== offset) continue;
      const found = seal === undefined ? undefined : decodeSeal(offset, seal)?.chainSha256;
      if (found === chainSha256) continue;
      const detail = `expected ${chainSha256}, found ${found ?? 'none'}: this record or some before it were changed, added or removed`;
      this.#findings.add({ store: 'anchor', ledgerOffset: offset, transactionId: null, kind: 'changed', detail });
    }
  }

  /** Null when there is nothing to compare, which then is a finding already. `isSound`: as it was sealed. */
  #decode(entry: Entry, isSound: boolean): Omit<HistoryRecord, 'seal'> | null {
    const { offset, record, decision } = entry;
    if (record === undefined) return null;
    const decoded = decodedRecord(record);
    if (decoded === null) {
      if (isSound) this.#add('ledger', entry, 'changed', 'it is no ledger record');
      return null;
    }
    const { ingestTimeMs, source, ...event } = decoded;
    const base = { offset, ingestTimeMs, source, event, value: record };
    if (event.kind === 'ruleSetPublication') this.#learn(event.event.content);
    if (event.kind !== 'transaction') {
      if (decision !== undefined && isSound) this.#add('decisions', entry, 'added', 'its record is no payment');
      return { ...base, decision: null };
    }
    const made = decision === undefined ? null : decodedDecision(decision);
    if (made?.status === 'new') this.#firsts++;
    if (isSound) this.#checkDecision(entry, made, event.event.transactionId, record);
    return made === null ? null : { ...base, decision: made };
  }

  #checkDecision(entry: Entry, decision: Decision | null, transactionId: string, record: Buffer): void {
    const { offset } = entry;
    if (entry.decision === undefined) {
      if (offset < this.#extents.decisions.endOffset) this.#add('decisions', entry, 'missing', '');
      return;
    }
    if (decision === null) {
      this.#add('decisions', entry, 'changed', 'it is no decision');
      return;
    }
    const { payload } = codecs.ledgerRecord.decode(record);
    const isOfPayment = decision.ledgerOffset === offset && decision.transactionId === transactionId;
    // The one thing that ties a decision that is not sealed to what its payment said.
    const isOfContent = offset >= this.#begin || decision.contentHash === contentHashOf(payload);
    if (!isOfPayment || !isOfContent) this.#add('decisions', entry, 'changed', 'it is not of this payment');
    else if (decision.status === 'new' && this.#rows.firstOffset(transactionId) !== offset)
      this.#add('ids', entry, 'changed', 'its id leads to another decision, or to none');
  }

  #learn(content: string): void {
    const columns = this.#history === null ? null : featureColumns(content);
    if (columns !== null) this.#history?.learn([columns]);
  }

  async #compareHistory(from: number, to: number, records: readonly HistoryRecord[]): Promise<void> {
    const limit = Math.min(to, this.#historyTo ?? 0);
    if (this.#history === null || from >= limit) return;
    const expected = records.filter(({ offset }) => offset < limit);
    const { rows, differences } = await this.#history.compare({ fromOffset: from, toOffset: limit, records: expected });
    for (const [table, count] of rows) this.#findings.checked(`history.${table}`, count);
    const byOffset = new Map(expected.map((record) => [record.offset, record]));
    for (const difference of differences) {
      const offset = difference.ledgerOffset ?? -1;
      const unsound = this.#unsound.get(offset);
      if (unsound === undefined) this.#addDifference(difference, byOffset.get(offset) ?? null);
      else this.#unsound.set(offset, withHistory(unsound, difference));
    }
  }

  #addUnsound(): void {
    for (const findings of this.#unsound.values()) for (const finding of findings) this.#findings.add(finding);
    this.#unsound.clear();
  }

  #addDifference({ table, ...difference }: HistoryDifference, record: HistoryRecord | null): void {
    const { transactionId = null } = record?.decision ?? {};
    this.#findings.add({ ...difference, store: `history.${table}`, transactionId });
  }

  /** What no single record shows. */
  async #checkWholes(): Promise<void> {
    const { ids } = this.#extents;
    for (const store of STORES) {
      const others = this.#extents[store].rows - this.#seen[store];
      if (others !== 0) this.#addWhole(store, `${others} rows whose keys are no ledger offsets`);
    }
    // Where records or decisions are gone it would say that again.
    if (ids !== this.#firsts && !this.#findings.has('ledger') && !this.#findings.has('decisions'))
      this.#addWhole('ids', `${ids} ids for ${this.#firsts} payments that were first decided`);
    this.#findings.checked('ids', ids);
    const sealedTo = this.#extents.seals.endOffset;
    for (const { ledgerOffset, chainSha256 } of this.#options.anchors) {
      if (ledgerOffset < sealedTo && ledgerOffset >= this.#begin) continue;
      const detail = `expected ${chainSha256}, but no record of this offset is sealed: newer records were removed, or it is another ledger`;
      this.#findings.add({ store: 'anchor', ledgerOffset, transactionId: null, kind: 'missing', detail });
    }
    for (const difference of (await this.#history?.end()) ?? []) this.#addDifference(difference, null);
  }

  #addWhole(store: string, detail: string): void {
    this.#findings.add({ store, ledgerOffset: null, transactionId: null, kind: 'added', detail });
  }

  #add(store: string, entry: Entry, kind: Finding['kind'], detail: string): void {
    this.#findings.add({ store, ledgerOffset: entry.offset, transactionId: transactionIdOf(entry), kind, detail });
  }
}

const MAX_DETAIL = 400;

/** The row that differs was made of bytes that are not as sealed: history is likelier to have what was. */
function withHistory(findings: readonly Finding[], { table, kind, detail }: HistoryDifference): Finding[] {
  const says = `in history.${table} ${detail === '' ? `a row is ${kind}` : detail}`;
  return findings.map((finding) => {
    const text = finding.detail === '' ? says : `${finding.detail}; ${says}`;
    return { ...finding, detail: text.slice(0, MAX_DETAIL) };
  });
}

/** For people: whichever of record and decision can still be read says which payment it is. */
function transactionIdOf({ record, decision }: Entry): string | null {
  const made = decision === undefined ? null : decodedDecision(decision);
  if (made !== null) return made.transactionId;
  const decoded = record === undefined ? null : decodedRecord(record);
  return decoded !== null && 'transactionId' in decoded.event ? decoded.event.transactionId : null;
}

function decodedRecord(bytes: Buffer): DecodedLedgerRecord | null {
  try {
    return decodeLedgerRecord(bytes);
  } catch {
    return null;
  }
}

function decodedDecision(bytes: Buffer): Decision | null {
  const decoded = codecs.decision.tryDecode(bytes);
  return decoded.ok ? decoded.value : null;
}
