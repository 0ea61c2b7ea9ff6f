import type { ModelMetadata } from '../models/modelPackage.ts';
import type { ModelPromotion, PromotionAction, PromotionStep } from '../schemas/types.ts';

export interface PromotionOrigin {
  readonly eventTimeMs: number;
  readonly author: string;
  readonly reason: string;
  readonly action?: PromotionAction;
  /** 100 by default: the champion. */
  readonly percent?: number;
  /** In force without a second person by default. */
  readonly step?: PromotionStep;
  readonly proposalOffset?: number | null;
}

/** The ledger's record of what a model is to do; null: none scores any more. */
export function promotionRecord(model: ModelMetadata | null, origin: PromotionOrigin): ModelPromotion {
  return {
    eventTimeMs: origin.eventTimeMs,
    modelId: model?.id ?? null,
    version: model?.version ?? '',
    sha256: model?.sha256 ?? '',
    metadata: model === null ? '' : JSON.stringify(model),
    action: origin.action ?? 'promote',
    percent: origin.percent ?? 100,
    author: origin.author,
    reason: origin.reason,
    step: origin.step ?? 'apply',
    proposalOffset: origin.proposalOffset ?? null,
  };
}
