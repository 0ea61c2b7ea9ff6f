import type { FeatureColumns } from '../../pipeline/ports.ts';
import type { Decision, Transaction } from '../../schemas/types.ts';
import { FEATURE_PREFIX } from '../../operators/sql/history.ts';
import { dateTime, HistoryTable, nullableString, schemaDoc } from './historyTable.ts';
import { BoolColumn, Float64Column, Int32Column, Integer64Column, NullableColumn } from './nativeColumn.ts';
import { ArrayColumn, LowCardinalityColumn, MapColumn, StringColumn } from './nativeTextColumn.ts';

/** The type of a feature's column. NaN is stored as NaN: comparisons then answer as the rules did. */
export const FEATURE_COLUMN_TYPE = 'Float64 DEFAULT nan';

/** One row per payment: the verdict, what led to it, and the value of every feature. */
export class DecisionTable extends HistoryTable {
  readonly #transactionId = this.add('transaction_id', new StringColumn(), doc('transactionId'), { index: 'bloom' });
  readonly #eventTime = this.add('event_time', dateTime(), schemaDoc('Transaction', 'eventTimeMs'), {
    index: 'minmax',
  });
  readonly #amountMinor = this.add(
    'amount_minor',
    new Integer64Column('Int64'),
    schemaDoc('Transaction', 'amountMinor'),
  );
  readonly #currency = this.add('currency', new LowCardinalityColumn(), schemaDoc('Transaction', 'currency'));
  readonly #engineTime = this.add('engine_time', dateTime(), doc('engineTimeMs'));
  readonly #late = this.add('late', new BoolColumn(), doc('late'));
  readonly #verdict = this.add('verdict', new LowCardinalityColumn(), doc('verdict'));
  readonly #score = this.add('score', new Int32Column(), doc('score'));
  readonly #modelScore = this.add('model_score', new NullableColumn(new Float64Column(), 0), doc('modelScore'));
  readonly #mode = this.add('mode', new LowCardinalityColumn(), doc('mode'));
  readonly #riskLevel = this.add('risk_level', new LowCardinalityColumn(), doc('riskLevel'));
  readonly #degraded = this.add('degraded', new ArrayColumn(new LowCardinalityColumn()), doc('degraded'));
  readonly #reasonCodes = this.add(
    'reason_codes',
    new ArrayColumn(new LowCardinalityColumn()),
    'Codes of the reasons, most severe first; the rest of each is in reasons.',
  );
  readonly #rulePoints = this.add('rule_points', new Int32Column(), doc('rulePoints'));
  readonly #groupScores = this.add(
    'group_scores',
    new MapColumn(new Int32Column()),
    'Points of every rule group of which a rule counted.',
  );
  readonly #letThroughPercent = this.add(
    'let_through_percent',
    new NullableColumn(new Float64Column(), 0),
    'Approved only to measure declines, as this percent of such payments is: it stands for 100 / percent of them. Null for all others.',
  );
  readonly #wouldBeVerdict = this.add(
    'would_be_verdict',
    new LowCardinalityColumn('nullable'),
    'The verdict that a payment which was let through would have got.',
  );
  readonly #wouldBeScore = this.add(
    'would_be_score',
    new NullableColumn(new Int32Column(), 0),
    'The score that a payment which was let through would have got.',
  );
  readonly #wouldBeReasonCodes = this.add(
    'would_be_reason_codes',
    new ArrayColumn(new LowCardinalityColumn()),
    'Codes of the reasons that a payment which was let through would have got, most severe first.',
  );
  readonly #ruleSet = this.add('rule_set', new LowCardinalityColumn(), doc('ruleSet'));
  readonly #ruleSetSha256 = this.add('rule_set_sha256', new LowCardinalityColumn(), doc('ruleSetSha256'));
  readonly #modelId = this.add('model_id', new LowCardinalityColumn('nullable'), doc('modelId'));
  readonly #modelVersion = this.add('model_version', new LowCardinalityColumn('nullable'), doc('modelVersion'));
  readonly #modelSha256 = this.add('model_sha256', new LowCardinalityColumn('nullable'), doc('modelSha256'));
  readonly #catalogueSha256 = this.add('catalogue_sha256', new LowCardinalityColumn(), doc('catalogueSha256'));
  readonly #contentHash = this.add('content_hash', new StringColumn(), doc('contentHash'));
  readonly #explanationMethod = this.add(
    'explanation_method',
    new LowCardinalityColumn('nullable'),
    'What the contributions are made by: treeShap or occlusion; null where the model does not explain the decision.',
  );
  readonly #contributionMean = this.add(
    'contribution_mean',
    new NullableColumn(new Float64Column(), 0),
    "The margin's mean over the training data, from which the contributions start.",
  );
  readonly #contributions = this.add(
    'contributions',
    new ArrayColumn(new Float64Column()),
    "What each of the model's inputs, in order, adds to the margin.",
  );
  readonly #features = new Map<string, Float64Column>();
  readonly #catalogues = new Map<string, readonly Float64Column[]>();

  constructor() {
    super('decisions', 'Verdicts, one row per payment, with what led to them and a column f_… for every feature.');
  }

  /** Makes decisions of this catalogue known. The columns must be in the database already. */
  learn(columns: FeatureColumns): void {
    this.#catalogues.set(
      columns.catalogueSha256,
      columns.names.map((name) => {
        const column = this.#features.get(name) ?? new Float64Column();
        this.#features.set(name, column);
        return column;
      }),
    );
  }

  knows(catalogueSha256: string): boolean {
    return this.#catalogues.has(catalogueSha256);
  }

  push(decision: Decision, tx: Transaction): void {
    const row = this.rowCount;
    this.ledgerOffset.push(decision.ledgerOffset);
    this.#transactionId.push(decision.transactionId);
    this.#eventTime.push(tx.eventTimeMs);
    this.#amountMinor.push(tx.amountMinor);
    this.#currency.push(tx.currency);
    this.#engineTime.push(decision.engineTimeMs);
    this.#late.push(decision.late);
    this.#verdict.push(decision.verdict);
    this.#score.push(decision.score);
    this.#modelScore.push(decision.modelScore);
    this.#mode.push(decision.mode);
    this.#riskLevel.push(decision.riskLevel);
    for (const item of decision.degraded) this.#degraded.elements.push(item);
    this.#degraded.endRow();
    for (const reason of decision.reasons) this.#reasonCodes.elements.push(reason.code);
    this.#reasonCodes.endRow();
    this.#rulePoints.push(decision.rulePoints);
    for (const { group, points } of decision.groupScores) {
      this.#groupScores.keys.push(group);
      this.#groupScores.values.push(points);
    }
    this.#groupScores.endRow();
    const { letThrough } = decision;
    this.#letThroughPercent.push(letThrough === null ? null : letThrough.percent);
    this.#wouldBeVerdict.push(letThrough === null ? null : letThrough.verdict);
    this.#wouldBeScore.push(letThrough === null ? null : letThrough.score);
    if (letThrough !== null) for (const { code } of letThrough.reasons) this.#wouldBeReasonCodes.elements.push(code);
    this.#wouldBeReasonCodes.endRow();
    this.#ruleSet.push(decision.ruleSet);
    this.#ruleSetSha256.push(decision.ruleSetSha256);
    this.#modelId.push(decision.modelId);
    this.#modelVersion.push(decision.modelVersion);
    this.#modelSha256.push(decision.modelSha256);
    this.#catalogueSha256.push(decision.catalogueSha256);
    this.#contentHash.push(decision.contentHash);
    const { explanation } = decision;
    this.#explanationMethod.push(explanation === null ? null : explanation.method);
    this.#contributionMean.push(explanation === null ? null : explanation.mean);
    if (explanation !== null) for (const each of explanation.contributions) this.#contributions.elements.push(each);
    this.#contributions.endRow();
    this.#pushFeatures(decision, row);
  }

  override clear(): void {
    super.clear();
    for (const column of this.#features.values()) column.clear();
  }

  /** Only features that some row of the batch has: the others have their default, NaN. */
  protected override sentColumns(): ReturnType<HistoryTable['sentColumns']> {
    const sent = [...super.sentColumns()];
    for (const [name, column] of this.#features) {
      if (column.rowCount === 0) continue;
      column.pad(this.rowCount);
      sent.push({ name: FEATURE_PREFIX + name, column, comment: '', options: {} });
    }
    return sent;
  }

  #pushFeatures(decision: Decision, row: number): void {
    const columns = this.#catalogues.get(decision.catalogueSha256);
    if (columns?.length !== decision.features.length) {
      throw new Error(
        `SLUICE_HISTORY_CATALOGUE: the decision at ledger offset ${decision.ledgerOffset} has ` +
          `${decision.features.length} features of catalogue ${decision.catalogueSha256.slice(0, 12)}, which history ` +
          (columns === undefined ? 'does not know' : `knows with ${columns.length}`) +
          '; prepare() must be given the catalogue of every publication first',
      );
    }
    for (let index = 0; index < columns.length; index++) {
      columns[index]?.set(row, decision.features[index] ?? Number.NaN);
    }
  }
}

/** The reasons of every decision, most severe first. */
export class ReasonTable extends HistoryTable {
  readonly #position = this.add('position', new Int32Column(), '1 for the most severe reason.');
  readonly #transactionId = this.add('transaction_id', new StringColumn(), doc('transactionId'));
  readonly #eventTime = this.add('event_time', dateTime(), schemaDoc('Transaction', 'eventTimeMs'), {
    index: 'minmax',
  });
  readonly #code = this.add('code', new LowCardinalityColumn(), 'Stable reason code.');
  readonly #rule = this.add('rule', new LowCardinalityColumn('nullable'), 'Rule id, for a reason by a rule.');
  readonly #version = this.add('version', new NullableColumn(new Int32Column(), 0), 'Rule version.');
  readonly #list = this.add('list', new LowCardinalityColumn('nullable'), 'List name, for a reason by a list.');
  readonly #feature = this.add(
    'feature',
    new LowCardinalityColumn('nullable'),
    'Feature name, for a reason by the model.',
  );
  readonly #contribution = this.add(
    'contribution',
    new NullableColumn(new Float64Column(), 0),
    "What the feature adds to the model's margin (by occlusion: to its probability).",
  );
  readonly #value = this.add('value', new NullableColumn(new Float64Column(), 0), "The feature's value.");
  readonly #textEn = this.add('text_en', new LowCardinalityColumn('nullable'), 'In words, English.');
  readonly #textZh = this.add('text_zh', new LowCardinalityColumn('nullable'), 'In words, Chinese.');

  constructor() {
    super('reasons', 'Why each payment got its verdict: one row per reason.', 'ledger_offset, position');
  }

  push(decision: Decision, tx: Transaction): void {
    let position = 0;
    for (const reason of decision.reasons) {
      this.ledgerOffset.push(decision.ledgerOffset);
      this.#position.push(++position);
      this.#transactionId.push(decision.transactionId);
      this.#eventTime.push(tx.eventTimeMs);
      this.#code.push(reason.code);
      this.#rule.push(reason.rule);
      this.#version.push(reason.version);
      this.#list.push(reason.list);
      this.#feature.push(reason.feature);
      this.#contribution.push(reason.contribution);
      this.#value.push(reason.value);
      this.#textEn.push(reason.text === null ? null : reason.text.en);
      this.#textZh.push(reason.text === null ? null : reason.text.zh);
    }
  }
}

/** Every rule that fired or failed, live and shadow. */
export class RuleFiringTable extends HistoryTable {
  readonly #transactionId = this.add('transaction_id', new StringColumn(), doc('transactionId'));
  readonly #eventTime = this.add('event_time', dateTime(), schemaDoc('Transaction', 'eventTimeMs'), {
    index: 'minmax',
  });
  readonly #amountMinor = this.add(
    'amount_minor',
    new Integer64Column('Int64'),
    schemaDoc('Transaction', 'amountMinor'),
  );
  readonly #currency = this.add('currency', new LowCardinalityColumn(), schemaDoc('Transaction', 'currency'));
  readonly #rule = this.add('rule', new LowCardinalityColumn(), 'Rule id.');
  readonly #version = this.add('version', new Int32Column(), 'Rule version.');
  readonly #result = this.add('result', new LowCardinalityColumn(), 'fired, or failed to evaluate.');
  readonly #mode = this.add(
    'mode',
    new LowCardinalityColumn('nullable'),
    'live counts, shadow is only recorded; null for a failure.',
  );
  readonly #message = this.add('message', nullableString(), 'What failed; null for a firing.');
  readonly #snoozed = this.add(
    'snoozed',
    new BoolColumn(),
    'Fired, but did not count: see list_periods of rule-snoozes.',
  );

  constructor() {
    super('rule_firings', 'Every rule that fired or failed on a payment, live and shadow.', 'ledger_offset, rule');
  }

  push(decision: Decision, tx: Transaction): void {
    for (const { rule, version, mode, snoozed } of decision.rulesFired) {
      this.#pushRow(decision, tx, rule, version);
      this.#result.push('fired');
      this.#mode.push(mode);
      this.#message.push(null);
      this.#snoozed.push(snoozed);
    }
    for (const { rule, version, message } of decision.ruleErrors) {
      this.#pushRow(decision, tx, rule, version);
      this.#result.push('failed');
      this.#mode.push(null);
      this.#message.push(message);
      this.#snoozed.push(false);
    }
  }

  #pushRow(decision: Decision, tx: Transaction, rule: string, version: number): void {
    this.ledgerOffset.push(decision.ledgerOffset);
    this.#transactionId.push(decision.transactionId);
    this.#eventTime.push(tx.eventTimeMs);
    this.#amountMinor.push(tx.amountMinor);
    this.#currency.push(tx.currency);
    this.#rule.push(rule);
    this.#version.push(version);
  }
}

function doc(field: string): string {
  return schemaDoc('Decision', field);
}
