import type { FeatureColumns, HistoryBatch, HistoryRecord } from '../../../pipeline/ports.ts';
import type { Decision, Transaction } from '../../../schemas/types.ts';

type Row = Record<string, unknown>;

/** What each table must show of a batch as JSONEachRow, written down independently of the encoders. */
export function expectedRows(
  batch: HistoryBatch,
  catalogues: readonly FeatureColumns[],
): ReadonlyMap<string, readonly Row[]> {
  const tables = new Map<string, Row[]>();
  const add = (table: string, row: Row): void => {
    const rows = tables.get(table) ?? [];
    tables.set(table, rows);
    rows.push(row);
  };
  for (const record of batch.records) {
    add('ledger', {
      ledger_offset: record.offset,
      kind: record.event.kind,
      ingest_time: time(record.ingestTimeMs),
      source: text(record.source),
      value: record.value.toString('hex').toUpperCase(),
      decision_sha256: record.seal?.decisionSha256 ?? '',
      chain_sha256: record.seal?.chainSha256 ?? '',
    });
    addEvent(record, catalogues, add);
  }
  return tables;
}

function addEvent(
  record: HistoryRecord,
  catalogues: readonly FeatureColumns[],
  add: (table: string, row: Row) => void,
): void {
  const { event, decision } = record;
  if (event.kind === 'transaction') {
    if (decision === null) throw new Error('a payment without its decision');
    if (decision.status !== 'new') {
      add('repeats', {
        ...paymentRow(record, event.event),
        status: decision.status,
        original_offset: decision.originalOffset,
        content_hash: text(decision.contentHash),
        verdict: decision.verdict,
        score: decision.score,
      });
      return;
    }
    add('transactions', paymentRow(record, event.event));
    addDecision(decision, event.event, catalogues, add);
    return;
  }
  if (event.kind === 'tick') return;
  const envelope = {
    ledger_offset: record.offset,
    ingest_time: time(record.ingestTimeMs),
    source: text(record.source),
  };
  if (event.kind === 'listChange') {
    const { further, eventTimeMs, list, action, author, ...first } = event.event;
    for (const { value, expiresAtMs, reason } of [first, ...further])
      add('list_changes', {
        ...envelope,
        event_time: time(eventTimeMs),
        list: text(list),
        value: text(value),
        action,
        expires_at: nullableTime(expiresAtMs),
        author: text(author),
        reason: text(reason ?? first.reason),
      });
    return;
  }
  // The other tables' columns are the event's fields in snake case; times lose their unit.
  const fields = Object.entries(event.event).map(([name, value]): [string, unknown] => [
    name === 'deadlineMs'
      ? 'deadline_ms'
      : name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    typeof value === 'number' && name.endsWith('TimeMs')
      ? time(value)
      : name === 'expiresAtMs'
        ? nullableTime(value)
        : plain(value),
  ]);
  add(TABLE_OF[event.kind], { ...envelope, ...Object.fromEntries(fields) });
}

const TABLE_OF = {
  outcome: 'outcomes',
  label: 'labels',
  ruleSetPublication: 'rule_set_publications',
  modelPromotion: 'model_promotions',
  posture: 'postures',
  fallback: 'fallbacks',
  deadLetter: 'dead_letters',
} as const;

function paymentRow(record: HistoryRecord, tx: Transaction): Row {
  const attributes = Object.entries(tx.attributes);
  const ofType = (type: string): Row =>
    Object.fromEntries(
      attributes.filter(([, value]) => typeof value === type).map(([name, value]) => [text(name), plain(value)]),
    );
  return {
    ledger_offset: record.offset,
    ingest_time: time(record.ingestTimeMs),
    source: text(record.source),
    transaction_id: text(tx.transactionId),
    event_time: time(tx.eventTimeMs),
    type: tx.type,
    channel: tx.channel,
    amount_minor: tx.amountMinor,
    currency: tx.currency,
    account: plain(tx.account),
    card_token: plain(tx.card?.token ?? null),
    card_bin: plain(tx.card?.bin ?? null),
    card_last4: plain(tx.card?.last4 ?? null),
    device: plain(tx.device),
    ip: plain(tx.ip),
    merchant: plain(tx.merchant),
    mcc: plain(tx.mcc),
    terminal: plain(tx.terminal),
    payee: plain(tx.payee),
    country: plain(tx.country),
    auth_methods: tx.authMethods.map(text),
    original_transaction_id: plain(tx.originalTransactionId),
    attributes_text: ofType('string'),
    attributes_number: ofType('number'),
    attributes_flag: ofType('boolean'),
  };
}

function addDecision(
  decision: Decision,
  tx: Transaction,
  catalogues: readonly FeatureColumns[],
  add: (table: string, row: Row) => void,
): void {
  const head = {
    ledger_offset: decision.ledgerOffset,
    transaction_id: text(decision.transactionId),
    event_time: time(tx.eventTimeMs),
  };
  const money = { amount_minor: tx.amountMinor, currency: tx.currency };
  const features: Row = {};
  for (const { names } of catalogues) for (const name of names) features[`f_${name}`] = 'nan';
  const catalogue = catalogues.find(({ catalogueSha256 }) => catalogueSha256 === decision.catalogueSha256);
  catalogue?.names.forEach((name, index) => {
    features[`f_${name}`] = plain(decision.features[index]);
  });
  add('decisions', {
    ...head,
    ...money,
    engine_time: time(decision.engineTimeMs),
    late: decision.late,
    verdict: decision.verdict,
    score: decision.score,
    model_score: plain(decision.modelScore),
    mode: decision.mode,
    risk_level: decision.riskLevel,
    degraded: decision.degraded.map(text),
    reason_codes: decision.reasons.map(({ code }) => text(code)),
    rule_points: decision.rulePoints,
    group_scores: Object.fromEntries(decision.groupScores.map(({ group, points }) => [text(group), points])),
    let_through_percent: decision.letThrough?.percent ?? null,
    would_be_verdict: decision.letThrough?.verdict ?? null,
    would_be_score: decision.letThrough?.score ?? null,
    would_be_reason_codes: (decision.letThrough?.reasons ?? []).map(({ code }) => text(code)),
    rule_set: text(decision.ruleSet),
    rule_set_sha256: text(decision.ruleSetSha256),
    model_id: plain(decision.modelId),
    model_version: plain(decision.modelVersion),
    model_sha256: plain(decision.modelSha256),
    catalogue_sha256: decision.catalogueSha256,
    content_hash: text(decision.contentHash),
    explanation_method: decision.explanation?.method ?? null,
    contribution_mean: plain(decision.explanation?.mean ?? null),
    contributions: (decision.explanation?.contributions ?? []).map(plain),
    ...features,
  });
  for (const [index, reason] of decision.reasons.entries()) {
    const { text: words, ...rest } = reason;
    const fields = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, plain(value)]));
    add('reasons', {
      ...head,
      position: index + 1,
      ...fields,
      text_en: plain(words?.en ?? null),
      text_zh: plain(words?.zh ?? null),
    });
  }
  for (const { rule, version, mode, snoozed } of decision.rulesFired) {
    add('rule_firings', {
      ...head,
      ...money,
      rule: text(rule),
      version,
      result: 'fired',
      mode,
      message: null,
      snoozed,
    });
  }
  for (const { rule, version, message } of decision.ruleErrors) {
    add('rule_firings', {
      ...head,
      ...money,
      rule: text(rule),
      version,
      result: 'failed',
      mode: null,
      message: text(message),
      snoozed: false,
    });
  }
}

function time(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('T', ' ').slice(0, -1);
}

function nullableTime(value: unknown): string | null {
  return typeof value === 'number' ? time(value) : null;
}

/** UTF-8 has no lone surrogates: they are stored as U+FFFD. */
function text(value: string): string {
  return Buffer.from(value, 'utf8').toString('utf8');
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}
