import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../operators/definitions.ts';
import { compileCatalogue, type CompiledCatalogue } from '../operators/features/catalogue.ts';
import { FeatureSkew } from './featureSkew.ts';

const window = { entity: ['account' as const], windowMs: 60_000 };
const count: FeatureDefinition = { ...window, name: 'count', aggregate: 'count' };
const std: FeatureDefinition = { ...window, name: 'std', aggregate: 'std', of: 'amountMinor' };

function catalogueOf(definitions: readonly FeatureDefinition[]): CompiledCatalogue {
  const compiled = compileCatalogue(definitions, 0);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

describe('the skew of features', () => {
  it('tells equal, close and different values apart', () => {
    const skew = new FeatureSkew(catalogueOf([count, std]));
    skew.add(1, [3, NaN], [3, NaN]);
    skew.add(2, [3, 1], [4, 1 + 1e-12]);
    skew.add(3, [NaN, 2], [0, 2]);
    expect(skew.lines()).toEqual([
      {
        feature: 'count',
        compared: 3,
        equal: 1,
        close: 0,
        estimated: 0,
        different: 2,
        largestDifference: Infinity,
        examples: [
          { ledgerOffset: 2, recorded: 3, computed: 4 },
          { ledgerOffset: 3, recorded: NaN, computed: 0 },
        ],
      },
      {
        feature: 'std',
        compared: 3,
        equal: 2,
        close: 1,
        estimated: 0,
        different: 0,
        largestDifference: expect.closeTo(1e-12, 15),
        examples: [],
      },
    ]);
  });

  it('takes an estimate, and what was computed from it, for what it is', () => {
    const distinct: FeatureDefinition = { ...window, name: 'cards', aggregate: 'distinct', of: 'card' };
    const share: FeatureDefinition = { name: 'share', aggregate: 'ratio', numerator: 'cards', denominator: 'count' };
    const twice: FeatureDefinition = { name: 'twice', aggregate: 'expression', expression: 'f.share * 2' };
    const skew = new FeatureSkew(catalogueOf([count, distinct, share, twice]));
    skew.add(1, [20_000, 10_240.5, 0.512025, 1.02405], [20_000, 10_000, 0.5, 1]);
    // A number that has just fallen.
    skew.add(2, [100, 512.5, 5.125, 10.25], [100, 90, 0.9, 1.8]);
    skew.add(3, [20_000, 20_480.5, 1.024025, 2.04805], [20_000, 10_000, 0.5, 1]);
    skew.add(4, [4, 3, 0.75, 1.5], [4, 4, 1, 2]);
    const told = skew.lines().map(({ feature, equal, estimated, different }) => [feature, equal, estimated, different]);
    expect(told).toEqual([
      ['count', 4, 0, 0],
      ['cards', 0, 2, 2],
      ['share', 0, 3, 1],
      ['twice', 0, 3, 1],
    ]);
  });

  it('keeps the first five rows that differ', () => {
    const skew = new FeatureSkew(catalogueOf([count]));
    for (let offset = 0; offset < 9; offset++) skew.add(offset, [1], [2]);
    expect(skew.lines()[0]?.examples.map(({ ledgerOffset }) => ledgerOffset)).toEqual([0, 1, 2, 3, 4]);
  });

  it('refuses a row of another length', () => {
    expect(() => new FeatureSkew(catalogueOf([count])).add(1, [1], [])).toThrow('SLUICE_SKEW_ROW');
  });
});
