/** How far one feature's recorded values are from those that were computed again. */
export interface FeatureSkewLine {
  readonly feature: string;
  readonly compared: number;
  /** The same double, or both undefined. */
  readonly equal: number;
  /** Another double, less than TOLERANCE away, relatively. */
  readonly close: number;
  readonly different: number;
  /** Greatest relative difference of two defined values; infinite where one alone is undefined. */
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
const MAX_EXAMPLES = 5;

/** Compares features as decisions recorded them with the same features computed again: the online/offline skew. */
export class FeatureSkew {
  readonly #lines: { -readonly [Key in keyof Omit<FeatureSkewLine, 'examples'>]: FeatureSkewLine[Key] }[];
  readonly #examples: SkewExample[][];

  constructor(features: readonly string[]) {
    this.#lines = features.map((feature) => {
      return { feature, compared: 0, equal: 0, close: 0, different: 0, largestDifference: 0 };
    });
    this.#examples = features.map(() => []);
  }

  /** One payment's features, in the order given to the constructor. */
  add(ledgerOffset: number, recorded: readonly number[], computed: readonly number[]): void {
    if (recorded.length !== this.#lines.length || computed.length !== this.#lines.length)
      throw new Error(`SLUICE_SKEW_ROW: the rows at offset ${ledgerOffset} do not have ${this.#lines.length} features`);
    for (const [index, line] of this.#lines.entries()) {
      const one = recorded[index] ?? Number.NaN;
      const other = computed[index] ?? Number.NaN;
      line.compared += 1;
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
}

function relativeDifference(one: number, other: number): number {
  if (one === other || (Number.isNaN(one) && Number.isNaN(other))) return 0;
  const difference = Math.abs(one - other) / Math.max(Math.abs(one), Math.abs(other));
  return Number.isNaN(difference) ? Infinity : difference;
}
