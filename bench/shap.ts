import { randomEnsemble, randomNumbers, randomRow } from '../models/trees/randomEnsemble.ts';
import { TreeShap } from '../models/trees/treeShap.ts';
import { atShare, median, significant, type Measurement } from './benchmark.ts';

export interface ShapBenchmarkOptions {
  readonly trees: number;
  readonly depth: number;
  readonly inputs: number;
  readonly rows: number;
}

const SEED = 1;
const WARM_UP_ROWS = 2_000;

/**
 * Contributions of every input to the margin, of random rows on full random trees: no row goes the way of the one before, which
 * is as bad as it gets for the processor's branch prediction. One thread.
 */
export function benchmarkShap({ trees, depth, inputs, rows }: ShapBenchmarkOptions): Measurement {
  const random = randomNumbers(SEED);
  const ensemble = randomEnsemble({ inputs, trees, depth, leafChance: 0, emptyChance: 0 }, random);
  const explainer = new TreeShap(ensemble);
  const values = new Float32Array(inputs * (rows + WARM_UP_ROWS));
  for (let base = 0; base < values.length; base += inputs) values.set(randomRow(inputs, random), base);
  const contributions = new Float64Array(inputs);
  const timesUs = new Float64Array(rows);
  for (let row = 0; row < WARM_UP_ROWS; row++) explainer.explain(values, row * inputs, contributions);
  for (let row = 0; row < rows; row++) {
    const start = process.hrtime.bigint();
    explainer.explain(values, (WARM_UP_ROWS + row) * inputs, contributions);
    timesUs[row] = Number(process.hrtime.bigint() - start) / 1e3;
  }
  timesUs.sort();
  return {
    fields: {
      p50_us: significant(median(Array.from(timesUs))),
      min_us: significant(timesUs[0] ?? NaN),
      p99_us: significant(atShare(timesUs, 0.99)),
      trees,
      depth,
      inputs,
      inner_nodes: ensemble.feature.filter((input) => input >= 0).length,
    },
    conditions: `${rows} random rows, a sixth of the values undefined, full random trees; all inputs' contributions`,
  };
}
