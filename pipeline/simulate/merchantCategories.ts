/** A merchant category (ISO 18245) with what people usually spend there. */
export interface MerchantCategory {
  readonly mcc: string;
  /** Share of all merchants. */
  readonly share: number;
  /** Median amount in minor units, and the spread of its logarithm. */
  readonly medianMinor: number;
  readonly sigma: number;
  /** Share of the merchants of this category that sell online. */
  readonly onlineShare: number;
  /** How easily the goods turn into cash, 0 to 1: where stolen means of payment are spent. */
  readonly cashOut: number;
}

/** Made up to look plausible; amounts are in fen. */
export const MERCHANT_CATEGORIES: readonly MerchantCategory[] = [
  { mcc: '5411', share: 0.2, medianMinor: 7_800, sigma: 0.7, onlineShare: 0.1, cashOut: 0.05 },
  { mcc: '5812', share: 0.14, medianMinor: 8_800, sigma: 0.7, onlineShare: 0, cashOut: 0 },
  { mcc: '5814', share: 0.14, medianMinor: 2_600, sigma: 0.5, onlineShare: 0.2, cashOut: 0 },
  { mcc: '4111', share: 0.03, medianMinor: 350, sigma: 0.5, onlineShare: 0, cashOut: 0 },
  { mcc: '5541', share: 0.04, medianMinor: 28_000, sigma: 0.4, onlineShare: 0, cashOut: 0.15 },
  { mcc: '5912', share: 0.05, medianMinor: 5_200, sigma: 0.7, onlineShare: 0.15, cashOut: 0.05 },
  { mcc: '5311', share: 0.05, medianMinor: 32_000, sigma: 0.9, onlineShare: 0.3, cashOut: 0.4 },
  { mcc: '5651', share: 0.06, medianMinor: 24_000, sigma: 0.8, onlineShare: 0.4, cashOut: 0.3 },
  { mcc: '5732', share: 0.04, medianMinor: 120_000, sigma: 1.1, onlineShare: 0.5, cashOut: 1 },
  { mcc: '5944', share: 0.015, medianMinor: 260_000, sigma: 1, onlineShare: 0.3, cashOut: 1 },
  { mcc: '4511', share: 0.01, medianMinor: 110_000, sigma: 0.7, onlineShare: 1, cashOut: 0.3 },
  { mcc: '7011', share: 0.03, medianMinor: 52_000, sigma: 0.7, onlineShare: 0.5, cashOut: 0.2 },
  { mcc: '5816', share: 0.04, medianMinor: 2_400, sigma: 1.1, onlineShare: 1, cashOut: 0.7 },
  { mcc: '5399', share: 0.07, medianMinor: 9_500, sigma: 1.1, onlineShare: 1, cashOut: 0.5 },
  { mcc: '4900', share: 0.01, medianMinor: 16_000, sigma: 0.5, onlineShare: 1, cashOut: 0 },
  { mcc: '4814', share: 0.015, medianMinor: 5_000, sigma: 0.5, onlineShare: 1, cashOut: 0.3 },
  { mcc: '8398', share: 0.01, medianMinor: 450, sigma: 1, onlineShare: 1, cashOut: 0 },
  { mcc: '6051', share: 0.01, medianMinor: 45_000, sigma: 1, onlineShare: 1, cashOut: 1 },
  { mcc: '5999', share: 0.04, medianMinor: 7_000, sigma: 1, onlineShare: 0.6, cashOut: 0.2 },
];
