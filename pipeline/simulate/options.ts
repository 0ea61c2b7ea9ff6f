import { FRAUD_CAMPAIGNS, TRAINED_CAMPAIGNS } from './campaigns/index.ts';
import type { LabelOptions } from './labelling.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Time of the first payments, epoch milliseconds. */
  readonly startTimeMs: number;
  /** How long payments are made; labels may come later. Absent: for ever. */
  readonly durationMs?: number;
  /** At least 10. */
  readonly customers: number;
  /** Payments of every kind, on average. */
  readonly paymentsPerSecond: number;
  /** steady: the same rate at every hour, made by those who are awake. rhythm: the rate follows the day and the week. */
  readonly pace: 'steady' | 'rhythm';
  /** Share of fraud among payments, shared equally by the campaigns: 0 to 0.5. */
  readonly fraudShare: number;
  /** Share of honest bursts that look like fraud. */
  readonly lookalikeShare: number;
  /** Names of the fraud campaigns that take place. */
  readonly campaigns: readonly string[];
  /** Factor on the durations of campaigns and trips: 1 is as in life. */
  readonly timeScale: number;
  /** Longest run of a campaign. */
  readonly maxRunMs: number;
  /** Every kind of campaign runs for the first time within this time; absent: whenever its rate has it. */
  readonly firstRunsWithinMs?: number;
  readonly labels: LabelOptions;
  /** Share of payments whose outcome the gateway reports. */
  readonly outcomeShare: number;
  /** Put before transaction ids, so that two runs never share one. */
  readonly idPrefix: string;
  /** Payments before startTimeMs, at a rate of their own, so that customers have a history when it starts. */
  readonly warmUp?: { readonly durationMs: number; readonly payments: number };
}

export const TRAINED_CAMPAIGN_NAMES: readonly string[] = TRAINED_CAMPAIGNS.map((campaign) => campaign.name);
export const FRAUD_CAMPAIGN_NAMES: readonly string[] = FRAUD_CAMPAIGNS.map((campaign) => campaign.name);

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const LIVE_PAYMENTS_PER_CUSTOMER_AND_DAY = 60;
const MIN_LIVE_CUSTOMERS = 2_000;
const DEMO_CUSTOMERS_PER_PAYMENT_A_SECOND = 300;
// A few seconds' work for the engine.
const MAX_WARM_UP_PAYMENTS = 40_000;
const REAL_PAYMENTS_PER_CUSTOMER_AND_DAY = 3;

type Chosen = Pick<SimulationOptions, 'seed' | 'startTimeMs'> & Partial<SimulationOptions>;

/**
 * For the demo and load tests: wall-clock time, a steady rate, campaigns of minutes and labels within minutes. The population
 * grows with the rate, so that a customer pays about every 24 minutes whatever the load.
 */
export function liveSimulation(chosen: Chosen): SimulationOptions {
  const paymentsPerSecond = chosen.paymentsPerSecond ?? 100;
  return {
    customers: Math.max(
      MIN_LIVE_CUSTOMERS,
      Math.ceil((paymentsPerSecond * DAY_MS) / SECOND_MS / LIVE_PAYMENTS_PER_CUSTOMER_AND_DAY),
    ),
    paymentsPerSecond,
    pace: 'steady',
    fraudShare: 0.008,
    lookalikeShare: 0.01,
    campaigns: TRAINED_CAMPAIGN_NAMES,
    timeScale: 0.5,
    maxRunMs: 8 * MINUTE_MS,
    firstRunsWithinMs: MINUTE_MS,
    labels: {
      reportDelayMs: MINUTE_MS,
      chargebackDelayMs: 3 * MINUTE_MS,
      reviewDelayMs: MINUTE_MS,
      fraudCoverage: 0.97,
      reviewShare: 0.01,
      falseClaimShare: 0.0001,
    },
    outcomeShare: 0.1,
    idPrefix: `s${chosen.startTimeMs.toString(36)}-`,
    ...chosen,
  };
}

/**
 * The demo: a live simulation whose customers pay every five minutes and already have a history of six days, so that
 * what is unlike them shows within the first minutes.
 */
export function demoSimulation(chosen: Chosen): SimulationOptions {
  const paymentsPerSecond = chosen.paymentsPerSecond ?? 100;
  const customers = Math.max(MIN_LIVE_CUSTOMERS, DEMO_CUSTOMERS_PER_PAYMENT_A_SECOND * paymentsPerSecond);
  return liveSimulation({
    customers,
    warmUp: { durationMs: 6 * DAY_MS, payments: Math.min(MAX_WARM_UP_PAYMENTS, 2 * customers) },
    ...chosen,
    paymentsPerSecond,
  });
}

/** For training and tests: days and weeks as in life, about three payments a customer and day. */
export function historicalSimulation(chosen: Chosen): SimulationOptions {
  const customers = chosen.customers ?? 4_000;
  return {
    customers,
    paymentsPerSecond: (customers * REAL_PAYMENTS_PER_CUSTOMER_AND_DAY * SECOND_MS) / DAY_MS,
    pace: 'rhythm',
    durationMs: 45 * DAY_MS,
    fraudShare: 0.008,
    lookalikeShare: 0.01,
    campaigns: TRAINED_CAMPAIGN_NAMES,
    timeScale: 1,
    maxRunMs: 12 * DAY_MS,
    labels: {
      reportDelayMs: 8 * HOUR_MS,
      chargebackDelayMs: 3 * DAY_MS,
      reviewDelayMs: DAY_MS,
      fraudCoverage: 0.97,
      reviewShare: 0.01,
      falseClaimShare: 0.0001,
    },
    outcomeShare: 0.1,
    idPrefix: `h${chosen.seed.toString(36)}-`,
    ...chosen,
  };
}
