import { HELD_OUT_CAMPAIGNS } from './campaigns/index.ts';
import { demoSimulation, FRAUD_CAMPAIGN_NAMES, historicalSimulation, liveSimulation } from './options.ts';
import type { SimulationOptions } from './options.ts';

const START_MS = Date.UTC(2026, 5, 1);
const MORNING_MS = START_MS + 4 * 3_600_000;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const UNSEEN = HELD_OUT_CAMPAIGNS.map((campaign) => campaign.name);

export interface TrainingSimulation {
  readonly name: string;
  /**
   * learn: the model learns from it. unseenKinds: kinds of fraud it never learns. judge: neither the model nor any rule's
   * numbers come from it; the whole deployment is judged on it.
   */
  readonly use: 'learn' | 'unseenKinds' | 'judge';
  readonly options: SimulationOptions;
}

/**
 * What the shipped model is trained and judged on, about 1.3 million payments: weeks as in life, minutes at a pace as in
 * load tests, their first minutes, in which nobody has a history yet, and the demo. Each is its own run of the engine.
 */
export const TRAINING_SIMULATIONS: readonly TrainingSimulation[] = [
  { name: 'history', use: 'learn', options: history(1, { customers: 2_500 }) },
  { name: 'live', use: 'learn', options: live(2, 60 * MINUTE_MS) },
  { name: 'start-1', use: 'learn', options: live(3, 20 * MINUTE_MS) },
  { name: 'start-2', use: 'learn', options: live(4, 20 * MINUTE_MS) },
  { name: 'demo', use: 'learn', options: demo(7, 40 * MINUTE_MS) },
  {
    name: 'unseen-history',
    use: 'unseenKinds',
    options: history(5, { customers: 1_200, durationMs: 30 * DAY_MS, campaigns: UNSEEN }),
  },
  { name: 'unseen-live', use: 'unseenKinds', options: { ...live(6, 30 * MINUTE_MS), campaigns: UNSEEN } },
  {
    name: 'judge-history',
    use: 'judge',
    options: history(101, { customers: 1_200, durationMs: 30 * DAY_MS, campaigns: FRAUD_CAMPAIGN_NAMES }),
  },
  { name: 'judge-start', use: 'judge', options: live(102, 20 * MINUTE_MS) },
  { name: 'judge-demo', use: 'judge', options: demo(103, 20 * MINUTE_MS) },
];

function history(seed: number, chosen: Partial<SimulationOptions>): SimulationOptions {
  return historicalSimulation({ seed, startTimeMs: START_MS, ...chosen });
}

function live(seed: number, durationMs: number): SimulationOptions {
  return liveSimulation({ seed, startTimeMs: MORNING_MS, durationMs, paymentsPerSecond: 50 });
}

function demo(seed: number, durationMs: number): SimulationOptions {
  return demoSimulation({ seed, startTimeMs: MORNING_MS, durationMs, paymentsPerSecond: 50 });
}
