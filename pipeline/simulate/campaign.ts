import type { LabelSource } from '../../schemas/types.ts';
import type { PaymentDraft } from './paymentDraft.ts';
import type { Population } from './population.ts';
import type { Random } from './random.ts';

/** Where and when one run of a campaign takes place. */
export interface Scene {
  readonly random: Random;
  readonly population: Population;
  readonly startMs: number;
  /** Factor on every duration: 1 is as in life, 0.05 turns a day into 72 minutes. */
  readonly timeScale: number;
  /** A run is squeezed into about this time, however long it would take in life. */
  readonly maxRunMs: number;
}

export interface PlannedPayment {
  readonly timeMs: number;
  readonly draft: PaymentDraft;
}

/** A pattern of payments that runs again and again, each time with other people. */
export interface Campaign {
  readonly name: string;
  /** False for what only looks like fraud. */
  readonly fraud: boolean;
  /** Payments of one run, on average: how often it starts follows from this and its share of all payments. */
  readonly meanPayments: number;
  /** Who finds out. */
  readonly labelSource: LabelSource;
  /** Chance that the issuer declines a payment that the verdict let pass. */
  readonly issuerDeclineChance: number;
  plan(scene: Scene): readonly PlannedPayment[];
}

/** Rising times from the scene's start on, `meanGapMs` (before scaling) apart on average. */
export function timesFrom(scene: Scene, count: number, meanGapMs: number): readonly number[] {
  const scaledGapMs = Math.min(meanGapMs * scene.timeScale, scene.maxRunMs / count);
  let timeMs = scene.startMs;
  return Array.from({ length: count }, () => {
    timeMs += MIN_GAP_MS + scene.random.exponential(scaledGapMs);
    return timeMs;
  });
}

const MIN_GAP_MS = 200;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
