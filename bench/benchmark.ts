/** What a benchmark found. */
export interface Measurement {
  /** In the order of the printed line. */
  readonly fields: Readonly<Record<string, string | number>>;
  /** What a reader must know to judge the figures; recorded, not printed in the line. */
  readonly conditions: string;
}

/** One line for a person and for a script: `engine: decisions_per_s=21000 p50_us=40`. */
export function measurementLine(name: string, { fields }: Measurement): string {
  const pairs = Object.entries(fields).map(([field, value]) => `${field}=${value}`);
  return `${name}: ${pairs.join(' ')}`;
}

/** `value` with `digits` significant digits, without an exponent: no benchmark is good for more. */
export function significant(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}

/** Of values in rising order, the one that so large a share of them does not exceed; NaN if there are none. */
export function atShare(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** The middle of the values; the upper one of two middles. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
