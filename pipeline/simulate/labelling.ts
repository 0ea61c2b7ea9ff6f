import type { LabelSource } from '../../schemas/types.ts';
import type { Campaign } from './campaign.ts';
import type { Random } from './random.ts';

/** When and whether it becomes known what a payment was. */
export interface LabelOptions {
  /** Median time until the customer or the issuer reports a fraud. */
  readonly reportDelayMs: number;
  /** Median time until a fraud is charged back. */
  readonly chargebackDelayMs: number;
  /** Median time until an analyst has reviewed a payment. */
  readonly reviewDelayMs: number;
  /** Share of frauds that anybody ever reports. */
  readonly fraudCoverage: number;
  /** Share of genuine payments that are reviewed and found genuine. */
  readonly reviewShare: number;
  /** Share of genuine payments that are charged back all the same (forgotten, or "friendly" fraud). */
  readonly falseClaimShare: number;
}

interface PlannedLabel {
  readonly delayMs: number;
  readonly label: 'fraud' | 'genuine';
  readonly labelSource: LabelSource;
  readonly fraudType: string | null;
}

const DELAY_SIGMA = 0.8;

/** The label a payment of this campaign (null: an ordinary one) will get, if any. */
export function planLabel(random: Random, options: LabelOptions, campaign: Campaign | null): PlannedLabel | null {
  const after = (medianMs: number): number => Math.ceil(random.logNormal(medianMs, DELAY_SIGMA)) + 1;
  if (campaign?.fraud === true) {
    if (!random.chance(options.fraudCoverage)) return null;
    const { labelSource, name } = campaign;
    const delayMs = after(delayFor(labelSource, options));
    return { delayMs, label: 'fraud', labelSource, fraudType: name };
  }
  const point = random.next();
  if (point < options.falseClaimShare) {
    const delayMs = after(options.chargebackDelayMs);
    return { delayMs, label: 'fraud', labelSource: 'chargeback', fraudType: null };
  }
  if (point < options.falseClaimShare + options.reviewShare) {
    return { delayMs: after(options.reviewDelayMs), label: 'genuine', labelSource: 'review', fraudType: null };
  }
  return null;
}

function delayFor(source: LabelSource, options: LabelOptions): number {
  if (source === 'chargeback') return options.chargebackDelayMs;
  return source === 'review' ? options.reviewDelayMs : options.reportDelayMs;
}
