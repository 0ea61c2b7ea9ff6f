import { HELD_OUT_CAMPAIGNS } from './campaigns/index.ts';
import { demoSimulation, historicalSimulation, liveSimulation } from './options.ts';
import type { SimulationOptions } from './options.ts';

const START_MS = Date.UTC(2026, 5, 1);
const MORNING_MS = START_MS + 4 * 3_600_000;
const DAY_MS = 86_400_000;
const UNSEEN = HELD_OUT_CAMPAIGNS.map((campaign) => campaign.name);

export interface TrainingSimulation {
  readonly name: string;
  /** Reported on, but never learned from. */
  readonly heldOut: boolean;
  readonly options: SimulationOptions;
}

/**
 * What the shipped model is trained on, about a million payments: weeks as in life, minutes at a pace as in load tests, their first minutes, in which
 * nobody has a history yet, and the demo. Each is its own run of the engine.
 */
export const TRAINING_SIMULATIONS: readonly TrainingSimulation[] = [
  { name: 'history', heldOut: false, options: history(1, { customers: 2_500 }) },
  { name: 'live', heldOut: false, options: live(2, 3_600_000) },
  { name: 'start-1', heldOut: false, options: live(3, 1_200_000) },
  { name: 'start-2', heldOut: false, options: live(4, 1_200_000) },
  {
    name: 'demo',
    heldOut: false,
    options: demoSimulation({ seed: 7, startTimeMs: MORNING_MS, durationMs: 2_400_000, paymentsPerSecond: 50 }),
  },
  {
    name: 'unseen-history',
    heldOut: true,
    options: history(5, { customers: 1_200, durationMs: 30 * DAY_MS, campaigns: UNSEEN }),
  },
  { name: 'unseen-live', heldOut: true, options: { ...live(6, 1_800_000), campaigns: UNSEEN } },
];

function history(seed: number, chosen: Partial<SimulationOptions>): SimulationOptions {
  return historicalSimulation({ seed, startTimeMs: START_MS, ...chosen });
}

function live(seed: number, durationMs: number): SimulationOptions {
  return liveSimulation({ seed, startTimeMs: MORNING_MS, durationMs, paymentsPerSecond: 50 });
}
