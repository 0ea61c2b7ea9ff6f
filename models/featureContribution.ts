/** How much one feature raised a payment's margin or probability of fraud. */
export interface FeatureContribution {
  readonly feature: string;
  readonly contribution: number;
  /** The feature's value. */
  readonly value: number;
}

/** Those that raised it, the greatest first, at most `limit`; equals by name. */
export function greatestContributions(
  contributions: readonly FeatureContribution[],
  limit: number,
): readonly FeatureContribution[] {
  return contributions
    .filter(({ contribution }) => contribution > 0)
    .sort((a, b) => b.contribution - a.contribution || (a.feature < b.feature ? -1 : 1))
    .slice(0, limit);
}
