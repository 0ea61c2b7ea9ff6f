import type { HistoryRecord } from '../../pipeline/ports.ts';
import type {
  DeadLetter,
  Fallback,
  Label,
  ListChange,
  ModelPromotion,
  Outcome,
  Posture,
  RuleSetPublication,
} from '../../schemas/types.ts';
import { dateTime, HistoryTable, nullableDateTime, nullableOffset, nullableString, schemaDoc } from './historyTable.ts';
import { BoolColumn, Int32Column, Integer64Column } from './nativeColumn.ts';
import { LowCardinalityColumn, StringColumn } from './nativeTextColumn.ts';

/** The ledger's own bytes: a lost ledger can be rebuilt from them. */
export class LedgerTable extends HistoryTable {
  readonly #kind = this.add('kind', new LowCardinalityColumn(), schemaDoc('LedgerRecord', 'kind'));
  readonly #ingestTime = this.add('ingest_time', dateTime(), schemaDoc('LedgerRecord', 'ingestTimeMs'), {
    index: 'minmax',
  });
  readonly #source = this.add('source', new LowCardinalityColumn(), schemaDoc('LedgerRecord', 'source'));
  readonly #value = this.add('value', new StringColumn(), 'The whole record in Avro single-object encoding.', {
    codec: 'ZSTD(1)',
  });
  readonly #decisionSha256 = this.add(
    'decision_sha256',
    new StringColumn(),
    "SHA-256 of the decision's bytes in the decision store; empty for a record that is no payment.",
    { codec: 'ZSTD(1)' },
  );
  readonly #chainSha256 = this.add(
    'chain_sha256',
    new StringColumn(),
    'SHA-256 of the text "chain_sha256-of-the-record-before ledger_offset SHA256(value) decision_sha256"; empty in records that ' +
      'are older than the chain.',
    { codec: 'ZSTD(1)' },
  );

  constructor() {
    super('ledger', 'Every record of the ledger, byte for byte: what the other tables and a rebuilt ledger come from.');
  }

  push(record: HistoryRecord): void {
    this.ledgerOffset.push(record.offset);
    this.#kind.push(record.event.kind);
    this.#ingestTime.push(record.ingestTimeMs);
    this.#source.push(record.source);
    this.#value.pushBytes(record.value);
    this.#decisionSha256.push(record.seal?.decisionSha256 ?? '');
    this.#chainSha256.push(record.seal?.chainSha256 ?? '');
  }
}

/** What every table of one kind of event begins with. */
abstract class EventTable extends HistoryTable {
  readonly #ingestTime = this.add('ingest_time', dateTime(), schemaDoc('LedgerRecord', 'ingestTimeMs'));
  readonly #source = this.add('source', new LowCardinalityColumn(), schemaDoc('LedgerRecord', 'source'));
  readonly #eventTime: Integer64Column;

  protected constructor(name: string, comment: string, schema: string) {
    super(name, comment);
    this.#eventTime = this.add('event_time', dateTime(), schemaDoc(schema, 'eventTimeMs'), { index: 'minmax' });
  }

  protected pushEnvelope(record: HistoryRecord, eventTimeMs: number): void {
    this.ledgerOffset.push(record.offset);
    this.#ingestTime.push(record.ingestTimeMs);
    this.#source.push(record.source);
    this.#eventTime.push(eventTimeMs);
  }
}

export class LabelTable extends EventTable {
  readonly #transactionId = this.add('transaction_id', new StringColumn(), schemaDoc('Label', 'transactionId'));
  readonly #transactionOffset = this.add(
    'transaction_offset',
    nullableOffset(),
    schemaDoc('Label', 'transactionOffset'),
  );
  readonly #label = this.add('label', new LowCardinalityColumn(), schemaDoc('Label', 'label'));
  readonly #labelSource = this.add('label_source', new LowCardinalityColumn(), schemaDoc('Label', 'labelSource'));
  readonly #fraudType = this.add('fraud_type', new LowCardinalityColumn('nullable'), schemaDoc('Label', 'fraudType'));

  constructor() {
    super('labels', 'What payments turned out to be, as it became known; the last label of a payment counts.', 'Label');
  }

  push(record: HistoryRecord, label: Label): void {
    this.pushEnvelope(record, label.eventTimeMs);
    this.#transactionId.push(label.transactionId);
    this.#transactionOffset.push(label.transactionOffset);
    this.#label.push(label.label);
    this.#labelSource.push(label.labelSource);
    this.#fraudType.push(label.fraudType);
  }
}

export class OutcomeTable extends EventTable {
  readonly #transactionId = this.add('transaction_id', new StringColumn(), schemaDoc('Outcome', 'transactionId'));
  readonly #transactionOffset = this.add(
    'transaction_offset',
    nullableOffset(),
    schemaDoc('Outcome', 'transactionOffset'),
  );
  readonly #outcome = this.add('outcome', new LowCardinalityColumn(), schemaDoc('Outcome', 'outcome'));
  readonly #responseCode = this.add(
    'response_code',
    new LowCardinalityColumn('nullable'),
    schemaDoc('Outcome', 'responseCode'),
  );

  constructor() {
    super('outcomes', 'What the gateway or the issuer did with payments after the verdict.', 'Outcome');
  }

  push(record: HistoryRecord, outcome: Outcome): void {
    this.pushEnvelope(record, outcome.eventTimeMs);
    this.#transactionId.push(outcome.transactionId);
    this.#transactionOffset.push(outcome.transactionOffset);
    this.#outcome.push(outcome.outcome);
    this.#responseCode.push(outcome.responseCode);
  }
}

export class ListChangeTable extends EventTable {
  readonly #list = this.add('list', new LowCardinalityColumn(), schemaDoc('ListChange', 'list'));
  readonly #value = this.add('value', new StringColumn(), schemaDoc('ListChange', 'value'));
  readonly #action = this.add('action', new LowCardinalityColumn(), schemaDoc('ListChange', 'action'));
  readonly #expiresAt = this.add('expires_at', nullableDateTime(), schemaDoc('ListChange', 'expiresAtMs'));
  readonly #author = this.add('author', new LowCardinalityColumn(), schemaDoc('ListChange', 'author'));
  readonly #reason = this.add('reason', new StringColumn(), schemaDoc('ListChange', 'reason'));

  constructor() {
    super('list_changes', 'Every entry put on or taken off a block, allow or watch list.', 'ListChange');
  }

  push(record: HistoryRecord, change: ListChange): void {
    this.#pushEntry(record, change, change.value, change.expiresAtMs, change.reason);
    for (const { value, expiresAtMs, reason } of change.further)
      this.#pushEntry(record, change, value, expiresAtMs, reason ?? change.reason);
  }

  #pushEntry(
    record: HistoryRecord,
    change: ListChange,
    value: string,
    expiresAtMs: number | null,
    reason: string,
  ): void {
    this.pushEnvelope(record, change.eventTimeMs);
    this.#list.push(change.list);
    this.#value.push(value);
    this.#action.push(change.action);
    this.#expiresAt.push(expiresAtMs);
    this.#author.push(change.author);
    this.#reason.push(reason);
  }
}

export class RuleSetPublicationTable extends EventTable {
  readonly #version = this.add('version', new StringColumn(), schemaDoc('RuleSetPublication', 'version'));
  readonly #sha256 = this.add('sha256', new StringColumn(), schemaDoc('RuleSetPublication', 'sha256'));
  readonly #content = this.add('content', new StringColumn(), schemaDoc('RuleSetPublication', 'content'));
  readonly #author = this.add('author', new LowCardinalityColumn(), schemaDoc('RuleSetPublication', 'author'));
  readonly #reason = this.add('reason', new StringColumn(), schemaDoc('RuleSetPublication', 'reason'));
  readonly #step = this.add('step', new LowCardinalityColumn(), schemaDoc('RuleSetPublication', 'step'));
  readonly #replaces = this.add('replaces', new StringColumn(), schemaDoc('RuleSetPublication', 'replaces'));
  readonly #proposalOffset = this.add(
    'proposal_offset',
    nullableOffset(),
    schemaDoc('RuleSetPublication', 'proposalOffset'),
  );

  constructor() {
    super(
      'rule_set_publications',
      'Configurations (features, rules, lists and policy) on their way into force.',
      'RuleSetPublication',
    );
  }

  push(record: HistoryRecord, publication: RuleSetPublication): void {
    this.pushEnvelope(record, publication.eventTimeMs);
    this.#version.push(publication.version);
    this.#sha256.push(publication.sha256);
    this.#content.push(publication.content);
    this.#author.push(publication.author);
    this.#reason.push(publication.reason);
    this.#step.push(publication.step);
    this.#replaces.push(publication.replaces);
    this.#proposalOffset.push(publication.proposalOffset);
  }
}

export class ModelPromotionTable extends EventTable {
  readonly #modelId = this.add('model_id', nullableString(), schemaDoc('ModelPromotion', 'modelId'));
  readonly #version = this.add('version', new StringColumn(), schemaDoc('ModelPromotion', 'version'));
  readonly #sha256 = this.add('sha256', new StringColumn(), schemaDoc('ModelPromotion', 'sha256'));
  readonly #metadata = this.add('metadata', new StringColumn(), schemaDoc('ModelPromotion', 'metadata'));
  readonly #action = this.add('action', new LowCardinalityColumn(), schemaDoc('ModelPromotion', 'action'));
  readonly #percent = this.add('percent', new Int32Column(), schemaDoc('ModelPromotion', 'percent'));
  readonly #author = this.add('author', new LowCardinalityColumn(), schemaDoc('ModelPromotion', 'author'));
  readonly #reason = this.add('reason', new StringColumn(), schemaDoc('ModelPromotion', 'reason'));
  readonly #step = this.add('step', new LowCardinalityColumn(), schemaDoc('ModelPromotion', 'step'));
  readonly #proposalOffset = this.add(
    'proposal_offset',
    nullableOffset(),
    schemaDoc('ModelPromotion', 'proposalOffset'),
  );

  constructor() {
    super(
      'model_promotions',
      'What each model did from each offset on; proposals of that, and answers to them (step).',
      'ModelPromotion',
    );
  }

  push(record: HistoryRecord, promotion: ModelPromotion): void {
    this.pushEnvelope(record, promotion.eventTimeMs);
    this.#modelId.push(promotion.modelId);
    this.#version.push(promotion.version);
    this.#sha256.push(promotion.sha256);
    this.#metadata.push(promotion.metadata);
    this.#action.push(promotion.action);
    this.#percent.push(promotion.percent);
    this.#author.push(promotion.author);
    this.#reason.push(promotion.reason);
    this.#step.push(promotion.step);
    this.#proposalOffset.push(promotion.proposalOffset);
  }
}

export class PostureTable extends EventTable {
  readonly #riskLevel = this.add('risk_level', new LowCardinalityColumn(), schemaDoc('Posture', 'riskLevel'));
  readonly #degradation = this.add('degradation', new LowCardinalityColumn(), schemaDoc('Posture', 'degradation'));
  readonly #expiresAt = this.add('expires_at', nullableDateTime(), schemaDoc('Posture', 'expiresAtMs'));
  readonly #author = this.add('author', new LowCardinalityColumn(), schemaDoc('Posture', 'author'));
  readonly #reason = this.add('reason', new StringColumn(), schemaDoc('Posture', 'reason'));

  constructor() {
    super('postures', 'Risk level and degradation from each offset on.', 'Posture');
  }

  push(record: HistoryRecord, posture: Posture): void {
    this.pushEnvelope(record, posture.eventTimeMs);
    this.#riskLevel.push(posture.riskLevel);
    this.#degradation.push(posture.degradation);
    this.#expiresAt.push(posture.expiresAtMs);
    this.#author.push(posture.author);
    this.#reason.push(posture.reason);
  }
}

export class FallbackTable extends EventTable {
  readonly #transactionId = this.add('transaction_id', new StringColumn(), schemaDoc('Fallback', 'transactionId'));
  readonly #transactionOffset = this.add(
    'transaction_offset',
    new Integer64Column('UInt64'),
    schemaDoc('Fallback', 'transactionOffset'),
  );
  readonly #verdict = this.add('verdict', new LowCardinalityColumn(), schemaDoc('Fallback', 'verdict'));
  readonly #deadlineMs = this.add('deadline_ms', new Int32Column(), schemaDoc('Fallback', 'deadlineMs'));

  constructor() {
    super('fallbacks', "Verdicts that ingest gave when the deadline came before the engine's answer.", 'Fallback');
  }

  push(record: HistoryRecord, fallback: Fallback): void {
    this.pushEnvelope(record, fallback.eventTimeMs);
    this.#transactionId.push(fallback.transactionId);
    this.#transactionOffset.push(fallback.transactionOffset);
    this.#verdict.push(fallback.verdict);
    this.#deadlineMs.push(fallback.deadlineMs);
  }
}

export class DeadLetterTable extends EventTable {
  readonly #subject = this.add('subject', new LowCardinalityColumn(), schemaDoc('DeadLetter', 'subject'));
  readonly #code = this.add('code', new LowCardinalityColumn(), schemaDoc('DeadLetter', 'code'));
  readonly #field = this.add('field', new LowCardinalityColumn('nullable'), schemaDoc('DeadLetter', 'field'));
  readonly #message = this.add('message', new StringColumn(), schemaDoc('DeadLetter', 'message'));
  readonly #transactionId = this.add('transaction_id', nullableString(), schemaDoc('DeadLetter', 'transactionId'));
  readonly #contentType = this.add('content_type', new LowCardinalityColumn(), schemaDoc('DeadLetter', 'contentType'));
  readonly #body = this.add('body', new StringColumn(), schemaDoc('DeadLetter', 'body'));
  readonly #truncated = this.add('truncated', new BoolColumn(), schemaDoc('DeadLetter', 'truncated'));

  constructor() {
    super('dead_letters', 'Input that was meant as a payment, outcome or label and was not accepted.', 'DeadLetter');
  }

  push(record: HistoryRecord, letter: DeadLetter): void {
    this.pushEnvelope(record, letter.eventTimeMs);
    this.#subject.push(letter.subject);
    this.#code.push(letter.code);
    this.#field.push(letter.field);
    this.#message.push(letter.message);
    this.#transactionId.push(letter.transactionId);
    this.#contentType.push(letter.contentType);
    this.#body.push(letter.body);
    this.#truncated.push(letter.truncated);
  }
}
