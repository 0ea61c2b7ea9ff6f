import type { ModelMetadata } from '../models/modelPackage.ts';
import { readModelMetadata, scoreOf } from '../models/modelPackage.ts';
import { ModelError, Scorer } from '../models/scorer.ts';
import { decodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import type { Decision, ModelPromotion } from '../schemas/types.ts';
import { ModelRoster } from './engine/modelRoster.ts';
import type { HistoryBatch, HistoryRecord, LedgerRow, Logger, ModelScore, ModelStore, Telemetry } from './ports.ts';

export interface ChallengersOptions {
  readonly models: Pick<ModelStore, 'get'>;
  readonly logger: Pick<Logger, 'warn'>;
  readonly telemetry: Pick<Telemetry, 'challenged'>;
  /** Milliseconds. */
  readonly clock: () => number;
  /** Time that a batch's scoring may take; payments beyond it are skipped and counted. Default 1 s. */
  readonly budgetMs?: number;
}

const DEFAULT_BUDGET_MS = 1_000;
/** Rows scored in one go. */
const SLICE_ROWS = 256;

interface Model {
  readonly promotion: ModelPromotion;
  readonly metadata: ModelMetadata;
  /** Null: it cannot be loaded here. */
  readonly scorer: Scorer | null;
}

interface DecidedPayment {
  readonly record: HistoryRecord;
  readonly decision: Decision;
}

/**
 * Scores payments by the models that did not score their verdicts: challengers, and the champion where a challenger decided.
 * It works on decisions as they go into history, from the features that they carry, so that no verdict ever waits for it; a model that
 * is too slow for the stream misses payments, which are counted, and holds history up by a bounded time. Batches must come in
 * order, from the offset given to `begin`.
 */
export class Challengers {
  readonly #options: ChallengersOptions;
  readonly #roster = new ModelRoster();
  readonly #loaded = new Map<ModelPromotion, Model>();

  constructor(options: ChallengersOptions) {
    this.#options = options;
  }

  /** Takes in all promotions of the ledger before the first batch. */
  begin(promotions: readonly LedgerRow[]): void {
    for (const { offset, value } of promotions) {
      const record = decodeLedgerRecord(value);
      if (record.kind === 'modelPromotion') this.#roster.apply(offset, record.event);
    }
  }

  async score({ records }: Pick<HistoryBatch, 'records'>): Promise<readonly ModelScore[]> {
    const scores: ModelScore[] = [];
    const untilMs = this.#options.clock() + (this.#options.budgetMs ?? DEFAULT_BUDGET_MS);
    let payments: DecidedPayment[] = [];
    for (const record of records) {
      const { event, decision } = record;
      if (event.kind === 'modelPromotion') {
        await this.#scoreAll(payments, untilMs, scores);
        payments = [];
        this.#roster.apply(record.offset, event.event);
      } else if (decision?.status === 'new' && decision.mode === 'full') payments.push({ record, decision });
    }
    await this.#scoreAll(payments, untilMs, scores);
    return scores;
  }

  async close(): Promise<void> {
    for (const { scorer } of this.#loaded.values()) await scorer?.close();
    this.#loaded.clear();
  }

  async #scoreAll(payments: readonly DecidedPayment[], untilMs: number, scores: ModelScore[]): Promise<void> {
    await this.#closeAllBut(
      this.#roster.challengers.length === 0 ? [] : this.#roster.scoring.map(({ promotion }) => promotion),
    );
    if (payments.length === 0 || this.#roster.challengers.length === 0) return;
    for (const { promotion } of this.#roster.scoring) {
      const model = await this.#model(promotion);
      const others: DecidedPayment[] = [];
      for (const payment of payments) {
        const { modelId, modelVersion, modelSha256, modelScore } = payment.decision;
        const isDeciding =
          modelId === model.metadata.id &&
          modelVersion === model.metadata.version &&
          modelSha256 === model.metadata.sha256;
        if (!isDeciding) others.push(payment);
        else if (modelScore !== null) scores.push(scoreOfModel(model, payment, modelScore, true));
      }
      await this.#scoreBy(model, others, untilMs, scores);
    }
  }

  async #scoreBy(
    model: Model,
    payments: readonly DecidedPayment[],
    untilMs: number,
    scores: ModelScore[],
  ): Promise<void> {
    const { metadata, scorer } = model;
    const width = metadata.inputs.length;
    let scored = 0;
    if (scorer !== null) {
      const rows = new Float32Array(Math.min(SLICE_ROWS, payments.length) * width);
      while (scored < payments.length && this.#options.clock() < untilMs) {
        const slice = payments.slice(scored, scored + SLICE_ROWS);
        slice.forEach(({ decision }, index) => {
          rows.set(decision.features.slice(0, width), index * width);
        });
        const probabilities = await this.#probabilities(model, scorer, rows, slice.length);
        if (probabilities === null) break;
        slice.forEach((payment, index) => {
          scores.push(scoreOfModel(model, payment, probabilities[index] ?? NaN, false));
        });
        scored += slice.length;
      }
    }
    if (payments.length > 0) this.#options.telemetry.challenged(nameOf(metadata), scored, payments.length - scored);
  }

  /** Null: the model failed, and is not asked again. */
  async #probabilities(model: Model, scorer: Scorer, rows: Float32Array, count: number): Promise<Float32Array | null> {
    try {
      return await scorer.probabilities(rows, count);
    } catch (error) {
      this.#loaded.set(model.promotion, { ...model, scorer: null });
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.logger.warn({ model: nameOf(model.metadata), reason }, 'the model failed; its scores are skipped');
      await scorer.close();
      return null;
    }
  }

  async #model(promotion: ModelPromotion): Promise<Model> {
    const present = this.#loaded.get(promotion);
    if (present !== undefined) return present;
    const metadata = readModelMetadata(promotion.metadata);
    const model = { promotion, metadata, scorer: await this.#load(metadata) };
    this.#loaded.set(promotion, model);
    return model;
  }

  /** A model that cannot be had scores nothing here, which is counted: verdicts do not need it. */
  async #load(metadata: ModelMetadata): Promise<Scorer | null> {
    const { models, logger } = this.#options;
    const onnx = await models.get(metadata.sha256);
    const fields = { model: nameOf(metadata), sha256: metadata.sha256 };
    if (onnx === undefined) {
      logger.warn(
        fields,
        "SLUICE_MODEL_MISSING: the model's file is not in the data folder's models/; its scores are skipped",
      );
      return null;
    }
    try {
      return await Scorer.load(metadata, onnx);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      logger.warn(
        { ...fields, reason: error.message },
        `${error.code}: the model cannot be loaded; its scores are skipped`,
      );
      return null;
    }
  }

  async #closeAllBut(needed: readonly ModelPromotion[]): Promise<void> {
    for (const [promotion, { scorer }] of this.#loaded) {
      if (needed.includes(promotion)) continue;
      this.#loaded.delete(promotion);
      await scorer?.close();
    }
  }
}

function scoreOfModel(
  { metadata }: Model,
  { record, decision }: DecidedPayment,
  probability: number,
  isDeciding: boolean,
): ModelScore {
  return {
    ledgerOffset: record.offset,
    transactionId: decision.transactionId,
    eventTimeMs: record.event.kind === 'transaction' ? record.event.event.eventTimeMs : decision.engineTimeMs,
    modelId: metadata.id,
    modelVersion: metadata.version,
    modelSha256: metadata.sha256,
    isDeciding,
    probability,
    score: scoreOf(metadata.calibration, probability),
  };
}

function nameOf({ id, version }: ModelMetadata): string {
  return `${id}@${version}`;
}
