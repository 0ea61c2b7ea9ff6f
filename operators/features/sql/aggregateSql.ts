import type { CompiledFeature } from '../catalogue.ts';

export type WindowFeature = Extract<CompiledFeature, { kind: 'window' }>;

/** What an aggregate is made of, over the pairs of a payment and the events of its key. */
export interface WindowSql {
  /** The event is in the window. */
  readonly inWindow: string;
  /** It is in the window and satisfies `where`. */
  readonly matches: string;
  readonly amount: string;
  /** The field that distinct counts, NULL where absent; null for other aggregates. */
  readonly distinctValue: string | null;
  readonly eventTime: string;
  readonly engineTime: string;
}

export interface AggregateSql {
  /** Float64. */
  readonly value: string;
  /** What `value` is when no event counts; null when it is of no use then. */
  readonly valueWhenEmpty: number | null;
  /** How many events count. */
  readonly count: string;
}

/** One entry an aggregate; null for one that has no SQL yet. */
export const aggregateSql: Readonly<Record<WindowFeature['aggregate'], ((window: WindowSql) => AggregateSql) | null>> =
  {
    count: ({ matches }) => {
      const count = `countIf(${matches})`;
      return { value: `toFloat64(${count})`, valueWhenEmpty: 0, count };
    },
    // Exact while a window's sum is below 2^63: nine million of the greatest amounts.
    sum: ({ matches, amount }) => ({
      value: `toFloat64(sumIf(${amount}, ${matches}))`,
      valueWhenEmpty: 0,
      count: `countIf(${matches})`,
    }),
    avg: ({ matches, amount }) => ({
      value: `avgIf(${amount}, ${matches})`,
      valueWhenEmpty: Number.NaN,
      count: `countIf(${matches})`,
    }),
    // Of the population. stddevPop would lose most digits where amounts are large and alike.
    std: ({ matches, amount }) => {
      const count = `countIf(${matches})`;
      const squares = `sumIf(toInt128(${amount}) * ${amount}, ${matches})`;
      const sum = `toInt128(sumIf(${amount}, ${matches}))`;
      return {
        value: `sqrt(toFloat64(${count} * ${squares} - ${sum} * ${sum})) / ${count}`,
        valueWhenEmpty: Number.NaN,
        count,
      };
    },
    min: ({ matches, amount }) => ({
      value: `toFloat64(minIf(${amount}, ${matches}))`,
      valueWhenEmpty: null,
      count: `countIf(${matches})`,
    }),
    max: ({ matches, amount }) => ({
      value: `toFloat64(maxIf(${amount}, ${matches}))`,
      valueWhenEmpty: null,
      count: `countIf(${matches})`,
    }),
    distinct: ({ matches, distinctValue }) => {
      const count = `uniqExactIf(${distinctValue ?? 'NULL'}, ${matches})`;
      return { value: `toFloat64(${count})`, valueWhenEmpty: 0, count };
    },
    timeSince: ({ matches, eventTime, engineTime }) => ({
      value: `dateDiff('millisecond', maxIf(${eventTime}, ${matches}), ${engineTime}) / 1000.0`,
      valueWhenEmpty: null,
      count: `countIf(${matches})`,
    }),
    rate: ({ matches, inWindow }) => {
      const count = `countIf(${inWindow})`;
      return { value: `countIf(${matches}) / ${count}`, valueWhenEmpty: Number.NaN, count };
    },
  };
