import { describe, expect, it } from 'vitest';
import { FeatureSkew } from './featureSkew.ts';

describe('the skew of features', () => {
  it('tells equal, close and different values apart', () => {
    const skew = new FeatureSkew(['count', 'std']);
    skew.add(1, [3, NaN], [3, NaN]);
    skew.add(2, [3, 1], [4, 1 + 1e-12]);
    skew.add(3, [NaN, 2], [0, 2]);
    expect(skew.lines()).toEqual([
      {
        feature: 'count',
        compared: 3,
        equal: 1,
        close: 0,
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
        different: 0,
        largestDifference: expect.closeTo(1e-12, 15),
        examples: [],
      },
    ]);
  });

  it('keeps the first five rows that differ', () => {
    const skew = new FeatureSkew(['count']);
    for (let offset = 0; offset < 9; offset++) skew.add(offset, [1], [2]);
    expect(skew.lines()[0]?.examples.map(({ ledgerOffset }) => ledgerOffset)).toEqual([0, 1, 2, 3, 4]);
  });

  it('refuses a row of another length', () => {
    expect(() => new FeatureSkew(['count']).add(1, [1], [])).toThrow('SLUICE_SKEW_ROW');
  });
});
