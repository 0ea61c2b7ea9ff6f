/** Sums over payments that were let through, each of which stands for `weight` would-be declines. */
export interface LetThroughSums {
  readonly payments: number;
  readonly frauds: number;
  /** Accounts: the share is drawn by account, so payments of one account are no independent draws. */
  readonly accounts: number;
  /** Of all payments, and of the frauds. */
  readonly weight: number;
  readonly fraudWeight: number;
  /** Sums over accounts: the square of the account's weight, of its frauds' weight, and the product of the two. */
  readonly weightSquares: number;
  readonly fraudWeightSquares: number;
  readonly products: number;
}

export interface DeclinePrecision {
  /** Share of would-be declines that are fraud. */
  readonly precision: number;
  /** Its 95% confidence interval. */
  readonly low: number;
  readonly high: number;
  /** Would-be declines that the payments stand for, and the genuine ones among them. */
  readonly declines: number;
  readonly genuineDeclines: number;
}

/** Standard normal quantile of a two-sided 95%. */
const Z = 1.959964;

/**
 * Precision of declines from the ones that were let through; null without any. The ratio of weighted sums (Hajek) is unbiased but for
 * terms of 1 / accounts, also where the share was changed in between. Its variance is that of a ratio over clusters (accounts), by
 * linearisation (Sarndal, Swensson, Wretman, *Model Assisted Survey Sampling*, 1992, 5.5 and 8.3); the interval is Wilson's with the
 * number of independent payments that this variance is worth (Korn and Graubard, Survey Methodology 24, 1998), which holds near 0 and
 * 1 too. Where all are fraud or none is, the number of accounts is what there is.
 */
export function declinePrecision(sums: LetThroughSums): DeclinePrecision | null {
  const { payments, accounts, weight, fraudWeight, weightSquares, fraudWeightSquares, products } = sums;
  if (payments === 0) return null;
  const precision = fraudWeight / weight;
  const squares = fraudWeightSquares - 2 * precision * products + precision * precision * weightSquares;
  const variance = accounts < 2 ? 0 : ((accounts / (accounts - 1)) * squares) / (weight * weight);
  // Sums of squares cancel to what is not quite 0 where all payments are alike.
  const isVaried = precision > 0 && precision < 1 && variance > 1e-15;
  const independent = isVaried ? Math.min(payments, (precision * (1 - precision)) / variance) : accounts;
  const spread = (Z * Z) / independent;
  const middle = (precision + spread / 2) / (1 + spread);
  const half = Math.sqrt(spread * (precision * (1 - precision) + spread / 4)) / (1 + spread);
  return {
    precision,
    low: Math.max(0, Math.min(precision, middle - half)),
    high: Math.min(1, Math.max(precision, middle + half)),
    declines: weight,
    genuineDeclines: weight - fraudWeight,
  };
}
