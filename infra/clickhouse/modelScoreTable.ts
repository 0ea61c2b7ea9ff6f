import type { ModelScore } from '../../pipeline/ports.ts';
import { schemaDoc, dateTime, HistoryTable } from './historyTable.ts';
import { BoolColumn, Float64Column, Int32Column } from './nativeColumn.ts';
import { LowCardinalityColumn, StringColumn } from './nativeTextColumn.ts';

/** Scores of the champion and of every challenger, on the payments that came while there were challengers. */
export class ModelScoreTable extends HistoryTable {
  readonly #transactionId = this.add('transaction_id', new StringColumn(), schemaDoc('Decision', 'transactionId'));
  readonly #eventTime = this.add('event_time', dateTime(), schemaDoc('Transaction', 'eventTimeMs'), {
    index: 'minmax',
  });
  readonly #modelId = this.add('model_id', new LowCardinalityColumn(), schemaDoc('Decision', 'modelId'));
  readonly #modelVersion = this.add('model_version', new LowCardinalityColumn(), schemaDoc('Decision', 'modelVersion'));
  readonly #modelSha256 = this.add('model_sha256', new LowCardinalityColumn(), schemaDoc('Decision', 'modelSha256'));
  readonly #isDeciding = this.add('is_deciding', new BoolColumn(), 'The verdict was made with this score.');
  readonly #probability = this.add('probability', new Float64Column(), "The model's probability of fraud.");
  readonly #score = this.add('score', new Int32Column(), "0 to 1000, by the model's calibration.");

  constructor() {
    super(
      'model_scores',
      'Champion and challengers on the same payments: one row per payment and model, while there are challengers.',
      'ledger_offset, model_id, model_version',
    );
  }

  push(score: ModelScore): void {
    this.ledgerOffset.push(score.ledgerOffset);
    this.#transactionId.push(score.transactionId);
    this.#eventTime.push(score.eventTimeMs);
    this.#modelId.push(score.modelId);
    this.#modelVersion.push(score.modelVersion);
    this.#modelSha256.push(score.modelSha256);
    this.#isDeciding.push(score.isDeciding);
    this.#probability.push(score.probability);
    this.#score.push(score.score);
  }
}
