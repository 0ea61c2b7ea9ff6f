import type { FeatureColumns, HistoryBatch, HistoryRecord } from '../../pipeline/ports.ts';
import { DecisionTable, ReasonTable, RuleFiringTable } from './decisionTables.ts';
import {
  DeadLetterTable,
  FallbackTable,
  LabelTable,
  LedgerTable,
  ListChangeTable,
  ModelPromotionTable,
  OutcomeTable,
  PostureTable,
  RuleSetPublicationTable,
} from './eventTables.ts';
import type { HistoryTable } from './historyTable.ts';
import { ModelScoreTable } from './modelScoreTable.ts';
import { TrainingDistributionTable } from './trainingDistributionTable.ts';
import type { Transaction } from '../../schemas/types.ts';
import { RepeatTable, TransactionTable } from './paymentTable.ts';

/** All tables of the history, and how a batch's records are spread over them. */
export class HistoryTables {
  readonly #ledger = new LedgerTable();
  readonly #transactions = new TransactionTable();
  readonly #repeats = new RepeatTable();
  readonly #decisions = new DecisionTable();
  readonly #reasons = new ReasonTable();
  readonly #ruleFirings = new RuleFiringTable();
  readonly #outcomes = new OutcomeTable();
  readonly #labels = new LabelTable();
  readonly #listChanges = new ListChangeTable();
  readonly #publications = new RuleSetPublicationTable();
  readonly #promotions = new ModelPromotionTable();
  readonly #modelScores = new ModelScoreTable();
  readonly #distributions = new TrainingDistributionTable();
  readonly #postures = new PostureTable();
  readonly #fallbacks = new FallbackTable();
  readonly #deadLetters = new DeadLetterTable();

  /** In the order they are written. */
  readonly all: readonly HistoryTable[] = [
    this.#ledger,
    this.#transactions,
    this.#repeats,
    this.#decisions,
    this.#reasons,
    this.#ruleFirings,
    this.#outcomes,
    this.#labels,
    this.#listChanges,
    this.#publications,
    this.#promotions,
    this.#modelScores,
    this.#distributions,
    this.#postures,
    this.#fallbacks,
    this.#deadLetters,
  ];

  /** Those whose rows follow from ledger and decisions alone: challengers score what they find the time for. */
  readonly derived: readonly HistoryTable[] = this.all.filter((table) => table !== this.#modelScores);

  learn(columns: FeatureColumns): void {
    this.#decisions.learn(columns);
  }

  knows(catalogueSha256: string): boolean {
    return this.#decisions.knows(catalogueSha256);
  }

  /** Replaces the rows of all tables by those of this batch. */
  fill(batch: HistoryBatch): void {
    for (const table of this.all) table.clear();
    for (const record of batch.records) this.#push(record);
    for (const score of batch.modelScores ?? []) this.#modelScores.push(score);
  }

  #push(record: HistoryRecord): void {
    this.#ledger.push(record);
    const { event } = record;
    switch (event.kind) {
      case 'transaction':
        this.#pushPayment(record, event.event);
        break;
      case 'outcome':
        this.#outcomes.push(record, event.event);
        break;
      case 'label':
        this.#labels.push(record, event.event);
        break;
      case 'listChange':
        this.#listChanges.push(record, event.event);
        break;
      case 'ruleSetPublication':
        this.#publications.push(record, event.event);
        break;
      case 'modelPromotion':
        this.#promotions.push(record, event.event);
        this.#distributions.push(record.offset, event.event);
        break;
      case 'posture':
        this.#postures.push(record, event.event);
        break;
      case 'fallback':
        this.#fallbacks.push(record, event.event);
        break;
      case 'deadLetter':
        this.#deadLetters.push(record, event.event);
        break;
      case 'tick':
        // Only in the ledger table: it says nothing but its time.
        break;
    }
  }

  #pushPayment(record: HistoryRecord, tx: Transaction): void {
    const { decision } = record;
    if (decision?.ledgerOffset !== record.offset) {
      throw new Error(
        `SLUICE_HISTORY_UNDECIDED: the payment at ledger offset ${record.offset} came without its decision; ` +
          `a batch must end before the first payment that is not decided`,
      );
    }
    if (decision.status === 'new') {
      this.#transactions.push(record, tx);
      this.#decisions.push(decision, tx);
      this.#reasons.push(decision, tx);
      this.#ruleFirings.push(decision, tx);
    } else {
      this.#repeats.push(record, tx, decision);
    }
  }
}
