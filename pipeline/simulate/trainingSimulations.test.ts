import { describe, expect, it } from 'vitest';
import { HELD_OUT_CAMPAIGNS } from './campaigns/index.ts';
import { TRAINING_SIMULATIONS } from './trainingSimulations.ts';

const unseenNames: readonly string[] = HELD_OUT_CAMPAIGNS.map(({ name }) => name);

describe('the simulations that train and judge the shipped model', () => {
  it('have a name and a seed each of their own, so that nothing judged was learned', () => {
    const names = TRAINING_SIMULATIONS.map(({ name }) => name);
    const seeds = TRAINING_SIMULATIONS.map(({ options }) => options.seed);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  it('keep some kinds of fraud from the model', () => {
    const learned = TRAINING_SIMULATIONS.filter(({ use }) => use === 'learn').flatMap(
      ({ options }) => options.campaigns,
    );
    const unseen = TRAINING_SIMULATIONS.filter(({ use }) => use === 'unseenKinds');
    expect(learned.filter((name) => unseenNames.includes(name))).toEqual([]);
    expect(unseen.map(({ options }) => options.campaigns)).toEqual(unseen.map(() => unseenNames));
  });

  it('end', () => {
    for (const { options } of TRAINING_SIMULATIONS) expect(options.durationMs).toBeGreaterThan(0);
  });
});
