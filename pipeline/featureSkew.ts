import type { CompiledCatalogue } from '../operators/features/catalogue.ts';
import { estimatedFeatures } from '../operators/features/estimates.ts';
import { MAX_DISTINCT_PER_KEY } from '../operators/features/limits.ts';

/** How far one feature's recorded values are from those that were computed again. */
export interface FeatureSkewLine {
  readonly feature: string;
  readonly compared: number;
  /** The same double, or both undefined. */
  readonly equal: number;
  /** Another double, less than SKEW_TOLERANCE away, relatively. */
  readonly close: number;
  /** Recorded as an estimate within ESTIMATE_TOLERANCE, or computed from one. */
  readonly estimated: number;
  readonly different: number;
  /** Greatest relative difference of two defined values; infinite where one alone is undefined. Estimates are left out. */
  readonly largestDifference: number;
  /** The first rows that differ. */
  readonly examples: readonly SkewExample[];
}

export interface SkewExample {
  readonly ledgerOffset: number;
  readonly recorded: number;
  readonly computed: number;
}

/** The engine's std is exact to 1e-12, and so is SQL's; expressions compute with it. */
export const SKEW_TOLERANCE = 1e-9;
/**
 * How far an estimated number of values may be from the true one, as a share of this or, if greater, of MAX_DISTINCT_PER_KEY: six of
 * the greatest standard errors (DistinctSamples), and room for a number that has just fallen.
 */
export const ESTIMATE_TOLERANCE = 0.2;
const MAX_EXAMPLES = 5;

/** Compares features as decisions recorded them with the same features computed again: the online/offline skew. */
export class FeatureSkew {
  readonly #catalogue: Pick<CompiledCatalogue, 'features' | 'names'>;
  readonly #lines: { -readonly [Key in keyof Omit<FeatureSkewLine, 'examples'>]: FeatureSkewLine[Key] }[];
  readonly #examples: SkewExample[][];

  constructor(catalogue: Pick<CompiledCatalogue, 'features' | 'names'>) {
    this.#catalogue = catalogue;
    this.#lines = catalogue.names.map((feature) => {
      return { feature, compared: 0, equal: 0, close: 0, estimated: 0, different: 0, largestDifference: 0 };
    });
    this.#examples = catalogue.names.map(() => []);
  }

  /** One payment's features, in the catalogue's order. */
  add(ledgerOffset: number, recorded: readonly number[], computed: readonly number[]): void {
    if (recorded.length !== this.#lines.length || computed.length !== this.#lines.length)
      throw new Error(`SLUICE_SKEW_ROW: the rows at offset ${ledgerOffset} do not have ${this.#lines.length} features`);
    const isEstimated = estimatedFeatures(this.#catalogue, recorded);
    for (const [index, line] of this.#lines.entries()) {
      const one = recorded[index] ?? Number.NaN;
      const other = computed[index] ?? Number.NaN;
      line.compared += 1;
      if (isEstimated[index] === true && this.#isAsEstimated(index, one, other)) {
        line.estimated += 1;
        continue;
      }
      const difference = relativeDifference(one, other);
      line.largestDifference = Math.max(line.largestDifference, difference);
      if (difference === 0) line.equal += 1;
      else if (difference <= SKEW_TOLERANCE) line.close += 1;
      else {
        line.different += 1;
        const examples = this.#examples[index];
        if (examples !== undefined && examples.length < MAX_EXAMPLES)
          examples.push({ ledgerOffset, recorded: one, computed: other });
      }
    }
  }

  /** In the features' order. */
  lines(): readonly FeatureSkewLine[] {
    return this.#lines.map((line, index) => ({ ...line, examples: this.#examples[index] ?? [] }));
  }

  /** What is computed from an estimate may differ by anything. */
  #isAsEstimated(index: number, recorded: number, computed: number): boolean {
    if (this.#catalogue.features[index]?.kind === 'expression') return true;
    return Math.abs(recorded - computed) <= ESTIMATE_TOLERANCE * Math.max(computed, MAX_DISTINCT_PER_KEY);
  }
}

function relativeDifference(one: number, other: number): number {
  if (one === other || (Number.isNaN(one) && Number.isNaN(other))) return 0;
  const difference = Math.abs(one - other) / Math.max(Math.abs(one), Math.abs(other));
  return Number.isNaN(difference) ? Infinity : difference;
}
