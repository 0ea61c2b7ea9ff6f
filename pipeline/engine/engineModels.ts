import { fnv1a, isInRollout } from '../../operators/rules/rollout.ts';
import type { StateInput, StateOutput } from '../../operators/savedState.ts';
import type { Scorer } from '../../models/scorer.ts';
import type { ModelPromotion, Transaction } from '../../schemas/types.ts';
import { ModelRoster, type KnownModel } from './modelRoster.ts';

/** The models that score verdicts, loaded, and which of them scores which account's. */
export class EngineModels {
  readonly roster = new ModelRoster();
  readonly #load: (promotion: ModelPromotion) => Promise<Scorer>;
  readonly #isLoading: boolean;
  #loaded = new Map<ModelPromotion, Scorer>();

  /** Null: no model is loaded; what is kept is who is to score. */
  constructor(load: ((promotion: ModelPromotion) => Promise<Scorer>) | null) {
    this.#load = load ?? (() => Promise.reject(new Error('this engine loads no models')));
    this.#isLoading = load !== null;
  }

  get champion(): Scorer | null {
    return this.#scorerOf(this.roster.champion);
  }

  /** The challenger that decides for a share of accounts; null: none does. */
  get share(): ModelShare | null {
    const model = this.roster.deciding;
    const scorer = this.#scorerOf(model);
    return model === null || scorer === null ? null : new ModelShare(scorer, model);
  }

  /** Rejects when a model cannot be had: decisions could not be repeated without it. */
  async apply(ledgerOffset: number, promotion: ModelPromotion): Promise<void> {
    this.roster.apply(ledgerOffset, promotion);
    await this.#loadDeciding();
  }

  save(output: StateOutput): void {
    this.roster.save(output);
  }

  async load(input: StateInput): Promise<void> {
    this.roster.load(input);
    await this.#loadDeciding();
  }

  async close(): Promise<void> {
    const before = this.#loaded;
    this.#loaded = new Map();
    for (const scorer of before.values()) await scorer.close();
  }

  #scorerOf(model: KnownModel | null): Scorer | null {
    return model === null ? null : (this.#loaded.get(model.promotion) ?? null);
  }

  async #loadDeciding(): Promise<void> {
    if (!this.#isLoading) return;
    const before = this.#loaded;
    const loaded = new Map<ModelPromotion, Scorer>();
    for (const model of [this.roster.champion, this.roster.deciding]) {
      if (model === null) continue;
      const { promotion } = model;
      loaded.set(promotion, before.get(promotion) ?? (await this.#load(promotion)));
    }
    this.#loaded = loaded;
    for (const [promotion, scorer] of before) if (!loaded.has(promotion)) await scorer.close();
  }
}

/** A challenger's share of accounts: the same ones at every replay, and a greater percentage only ever adds to them. */
export class ModelShare {
  readonly scorer: Scorer;
  readonly #percent: number;
  readonly #seed: number;

  constructor(scorer: Scorer, { promotion, percent }: KnownModel) {
    this.scorer = scorer;
    this.#percent = percent ?? 0;
    this.#seed = fnv1a(`model ${promotion.modelId ?? ''} ${promotion.version}/`);
  }

  has(transaction: Transaction): boolean {
    return isInRollout(this.#seed, this.#percent, transaction);
  }
}
