import type { SavedState, StateInput, StateOutput } from '../../operators/savedState.ts';
import { codecs } from '../../schemas/codec.ts';
import type { ModelPromotion } from '../../schemas/types.ts';
import { loadRecord, saveRecord } from './savedRecords.ts';

/** Challengers at a time: each costs about what the champion does, beside the verdicts. */
export const MAX_CHALLENGERS = 4;
/** Packages that are remembered; beyond it the oldest that does not score is forgotten here and remains in ledger and history. */
export const MAX_KNOWN_MODELS = 32;
/** Changes that are remembered, the newest; all of them are in the history's model_promotions. */
export const MAX_MODEL_CHANGES = 200;
/** Author of what the deployment's folder says at a start. */
export const DEPLOYMENT_AUTHOR = 'deployment';

/** A package that some record named, with what it does now. */
export interface KnownModel {
  /** The record that named it first. */
  readonly promotion: ModelPromotion;
  /** 100: the champion; less: a challenger; null: it scores nothing. */
  readonly percent: number | null;
}

/** Proposals open at a time. */
export const MAX_OPEN_PROMOTIONS = 20;

/** A change that waits for a second person; without the package's own text, which is kept with the package. */
export interface ModelProposal {
  readonly ledgerOffset: number;
  readonly promotion: ModelPromotion;
}

/** One record, as it took effect; that something was proposed, or rejected, is one too. */
export interface ModelChange {
  readonly ledgerOffset: number;
  readonly promotion: ModelPromotion;
}

/**
 * Which models score: the champion, and challengers that score a share of accounts or none. What each ledger record makes of it
 * depends on the records before it alone; one that makes no sense changes nothing (ModelDesk lets none in).
 */
export class ModelRoster implements SavedState {
  #known = new Map<string, KnownModel>();
  #changes: ModelChange[] = [];
  #champion: string | null = null;
  #previousChampion: string | null = null;
  #deployedMetadata: string | null = null;
  #proposals = new Map<number, ModelProposal>();

  get champion(): KnownModel | null {
    return this.#champion === null ? null : (this.#known.get(this.#champion) ?? null);
  }

  /** In the order in which they came. */
  get challengers(): readonly KnownModel[] {
    return this.known.filter(({ percent }) => percent !== null && percent < 100);
  }

  /** The challenger whose scores decide for a share of accounts. */
  get deciding(): KnownModel | null {
    return this.challengers.find(({ percent }) => percent !== null && percent > 0) ?? null;
  }

  /** All that score, verdicts or beside them; champion first. */
  get scoring(): readonly KnownModel[] {
    return [...(this.champion === null ? [] : [this.champion]), ...this.challengers];
  }

  get known(): readonly KnownModel[] {
    return [...this.#known.values()];
  }

  /** The newest first. */
  get changes(): readonly ModelChange[] {
    return this.#changes.toReversed();
  }

  /** Who was champion before the present one, if it is still known. */
  get previousChampion(): KnownModel | null {
    return this.#previousChampion === null ? null : (this.#known.get(this.#previousChampion) ?? null);
  }

  /** model.json that the deployment's folder gave last, '' for none; null before the first start on it. */
  get deployedMetadata(): string | null {
    return this.#deployedMetadata;
  }

  find(modelId: string, version: string): KnownModel | undefined {
    return this.#known.get(keyOf(modelId, version));
  }

  /** Oldest first. What they were made from is in force: they are closed when other models score verdicts. */
  get proposals(): readonly ModelProposal[] {
    return [...this.#proposals.values()];
  }

  proposal(ledgerOffset: number): ModelProposal | undefined {
    return this.#proposals.get(ledgerOffset);
  }

  /** Whether the record changed anything. */
  apply(ledgerOffset: number, promotion: ModelPromotion): boolean {
    if (promotion.author === DEPLOYMENT_AUTHOR && promotion.action !== 'withdraw')
      this.#deployedMetadata = promotion.metadata;
    const before = this.#scorersOfVerdicts();
    const isChange = this.#step(ledgerOffset, promotion);
    if (!isChange) return false;
    if (this.#scorersOfVerdicts() !== before) this.#proposals.clear();
    // The package's own text is kept once, with the package.
    this.#changes.push({ ledgerOffset, promotion: { ...promotion, metadata: '' } });
    if (this.#changes.length > MAX_MODEL_CHANGES) this.#changes.shift();
    return true;
  }

  save(output: StateOutput): void {
    output.text(this.#champion ?? '');
    output.text(this.#previousChampion ?? '');
    output.number(this.#deployedMetadata === null ? 0 : 1);
    output.text(this.#deployedMetadata ?? '');
    output.number(this.#known.size);
    for (const { promotion, percent } of this.#known.values()) {
      saveRecord(output, codecs.modelPromotion, promotion);
      output.number(percent ?? -1);
    }
    output.number(this.#changes.length);
    for (const { ledgerOffset, promotion } of this.#changes) {
      output.number(ledgerOffset);
      saveRecord(output, codecs.modelPromotion, promotion);
    }
    output.number(this.#proposals.size);
    for (const { ledgerOffset, promotion } of this.#proposals.values()) {
      output.number(ledgerOffset);
      saveRecord(output, codecs.modelPromotion, promotion);
    }
  }

  load(input: StateInput): void {
    this.#champion = input.text() || null;
    this.#previousChampion = input.text() || null;
    const isDeployed = input.number() === 1;
    const deployed = input.text();
    this.#deployedMetadata = isDeployed ? deployed : null;
    this.#known = new Map();
    for (let left = input.number(); left > 0; left--) {
      const promotion = loadRecord(input, codecs.modelPromotion);
      const percent = input.number();
      if (promotion !== null)
        this.#known.set(keyOfPromotion(promotion), { promotion, percent: percent < 0 ? null : percent });
    }
    this.#changes = [];
    for (let left = input.number(); left > 0; left--) {
      const ledgerOffset = input.number();
      const promotion = loadRecord(input, codecs.modelPromotion);
      if (promotion !== null) this.#changes.push({ ledgerOffset, promotion });
    }
    this.#proposals = new Map();
    for (let left = input.number(); left > 0; left--) {
      const ledgerOffset = input.number();
      const promotion = loadRecord(input, codecs.modelPromotion);
      if (promotion !== null) this.#proposals.set(ledgerOffset, { ledgerOffset, promotion });
    }
  }

  #step(ledgerOffset: number, promotion: ModelPromotion): boolean {
    const { step, proposalOffset } = promotion;
    if (step === 'apply') return this.#takeEffect(promotion);
    if (step === 'propose') {
      if (this.#proposals.size >= MAX_OPEN_PROMOTIONS) return false;
      this.#proposals.set(ledgerOffset, { ledgerOffset, promotion: { ...promotion, metadata: '' } });
      return true;
    }
    const proposal = proposalOffset === null ? undefined : this.#proposals.get(proposalOffset);
    if (proposal === undefined || !isSameChange(proposal.promotion, promotion)) return false;
    if (step === 'approve' && proposal.promotion.author === promotion.author) return false;
    this.#proposals.delete(proposal.ledgerOffset);
    return step === 'reject' || this.#takeEffect(promotion);
  }

  /** Who scores verdicts, and for what share. */
  #scorersOfVerdicts(): string {
    const { deciding } = this;
    const challenger = deciding === null ? '' : `${keyOfPromotion(deciding.promotion)} ${deciding.percent ?? 0}`;
    return `${this.#champion ?? ''}|${challenger}`;
  }

  #takeEffect(promotion: ModelPromotion): boolean {
    const { modelId, action, percent } = promotion;
    if (modelId === null) return this.#crown(null);
    const key = keyOfPromotion(promotion);
    if (action === 'withdraw') return this.#withdraw(key);
    if (percent >= 100) {
      this.#know(key, promotion, 100);
      return this.#crown(key);
    }
    if (key === this.#champion) return false;
    const present = this.#known.get(key)?.percent ?? null;
    if (present === null && this.challengers.length >= MAX_CHALLENGERS) return false;
    // One share of accounts at a time: what two models do to the same accounts could not be told apart.
    if (percent > 0)
      for (const [other, model] of this.#known)
        if (model.percent !== null && model.percent < 100) this.#place(other, 0);
    this.#know(key, promotion, percent);
    return true;
  }

  #crown(key: string | null): boolean {
    if (key === this.#champion) return key !== null;
    const before = this.#champion;
    if (before !== null) {
      this.#place(before, null);
      this.#previousChampion = before;
    }
    this.#champion = key;
    return true;
  }

  #withdraw(key: string): boolean {
    const percent = this.#known.get(key)?.percent ?? null;
    if (percent === null || key === this.#champion) return false;
    this.#place(key, null);
    return true;
  }

  #place(key: string, percent: number | null): void {
    const model = this.#known.get(key);
    if (model !== undefined) this.#known.set(key, { ...model, percent });
  }

  #know(key: string, promotion: ModelPromotion, percent: number): void {
    const present = this.#known.get(key);
    const isSame = present?.promotion.sha256 === promotion.sha256 && present.promotion.metadata === promotion.metadata;
    this.#known.set(key, { promotion: isSame ? present.promotion : promotion, percent });
    if (this.#known.size <= MAX_KNOWN_MODELS) return;
    for (const [oldest, model] of this.#known) {
      if (model.percent !== null || oldest === this.#champion || oldest === this.#previousChampion) continue;
      this.#known.delete(oldest);
      return;
    }
  }
}

function isSameChange(one: ModelPromotion, other: ModelPromotion): boolean {
  const what = ({ modelId, version, sha256, action, percent }: ModelPromotion): string =>
    [modelId ?? '', version, sha256, action, percent].join(' ');
  return what(one) === what(other);
}

function keyOfPromotion({ modelId, version }: ModelPromotion): string {
  return keyOf(modelId ?? '', version);
}

function keyOf(modelId: string, version: string): string {
  return `${modelId} ${version}`;
}
