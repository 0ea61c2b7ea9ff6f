import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomEnsemble, randomNumbers, randomRow, type EnsembleShape } from './randomEnsemble.ts';
import { marginOf, meanKnowing, shapleyValues } from './testing/treeOracle.ts';
import { TreeShap } from './treeShap.ts';

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });

function shapes(inputs: number, trees: number, depth: number): fc.Arbitrary<EnsembleShape> {
  return fc.record({
    inputs: fc.integer({ min: 1, max: inputs }),
    trees: fc.integer({ min: 1, max: trees }),
    depth: fc.integer({ min: 0, max: depth }),
    leafChance: fc.constantFrom(0, 0.2, 0.5),
    emptyChance: fc.constantFrom(0, 0.1),
  });
}

function explained(explainer: TreeShap, row: Float32Array): Float64Array {
  const contributions = new Float64Array(row.length);
  explainer.explain(row, 0, contributions);
  return contributions;
}

describe('TreeSHAP', () => {
  it("gives Shapley's values, as summing over all subsets of the inputs does", () => {
    fc.assert(
      fc.property(shapes(8, 3, 7), seed, (shape, start) => {
        const random = randomNumbers(start);
        const ensemble = randomEnsemble(shape, random);
        const explainer = new TreeShap(ensemble);
        for (let each = 0; each < 3; each++) {
          const row = randomRow(shape.inputs, random);
          const contributions = explained(explainer, row);
          for (const [input, value] of shapleyValues(ensemble, row).entries()) {
            expect(Math.abs((contributions[input] ?? NaN) - value)).toBeLessThan(1e-12);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does so on paths of more inputs than one pass over the trees is exact for', () => {
    fc.assert(
      fc.property(seed, (start) => {
        const random = randomNumbers(start);
        const shape = { inputs: 10, trees: 1, depth: 12, leafChance: 0.35, emptyChance: 0.1 };
        const ensemble = randomEnsemble(shape, random);
        const row = randomRow(shape.inputs, random);
        const contributions = explained(new TreeShap(ensemble), row);
        for (const [input, value] of shapleyValues(ensemble, row).entries()) {
          expect(Math.abs((contributions[input] ?? NaN) - value)).toBeLessThan(1e-12);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('adds up: mean and contributions are the margin', () => {
    fc.assert(
      fc.property(shapes(40, 20, 14), seed, (shape, start) => {
        const random = randomNumbers(start);
        const ensemble = randomEnsemble({ ...shape, leafChance: Math.max(shape.leafChance, 0.2) }, random);
        const explainer = new TreeShap(ensemble);
        expect(Math.abs(explainer.mean - meanKnowing(ensemble, new Float32Array(0), () => false))).toBeLessThan(1e-9);
        for (let each = 0; each < 5; each++) {
          const row = randomRow(shape.inputs, random);
          const sum = explained(explainer, row).reduce((total, contribution) => total + contribution, explainer.mean);
          expect(Math.abs(sum - marginOf(ensemble, row))).toBeLessThan(1e-9);
        }
      }),
    );
  });

  it('gives the same bits whatever was explained before', () => {
    const random = randomNumbers(20_261_128);
    const shape = { inputs: 12, trees: 10, depth: 8, leafChance: 0.1, emptyChance: 0 };
    const ensemble = randomEnsemble(shape, random);
    const explainer = new TreeShap(ensemble);
    const rows = Array.from({ length: 20 }, () => randomRow(shape.inputs, random));
    const first = rows.map((row) => explained(explainer, row));
    rows.reverse().forEach((row, index) => {
      expect(explained(explainer, row)).toEqual(first[rows.length - 1 - index]);
      expect(explained(new TreeShap(ensemble), row)).toEqual(first[rows.length - 1 - index]);
    });
  });

  it('gives nothing to an input that no node looks at, and all to the only one', () => {
    const ensemble = randomEnsemble(
      { inputs: 1, trees: 4, depth: 6, leafChance: 0.1, emptyChance: 0 },
      randomNumbers(5),
    );
    const explainer = new TreeShap({ ...ensemble, inputs: 3 });
    const row = Float32Array.of(4.5, NaN, 1);
    const [only = NaN, ...others] = explained(explainer, row);
    expect(only + explainer.mean).toBeCloseTo(marginOf(ensemble, row), 12);
    expect(others).toEqual([0, 0]);
  });
});
