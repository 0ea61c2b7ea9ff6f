import type { CompiledFeature } from '../catalogue.ts';

export type WindowFeature = Extract<CompiledFeature, { kind: 'window' }>;

/** What an aggregate is made of, over the pairs of a payment and the events of its key. */
export interface WindowSql {
  /** The event is in the window. */
  readonly inWindow: string;
  /** It is in the window and satisfies `where`. */
  readonly matches: string;
  readonly amount: string;
  /** The text field, NULL where absent, of the event and of the payment; 'NULL' for aggregates of none. */
  readonly text: string;
  readonly paymentText: string;
  readonly paymentAmount: string;
  readonly eventTime: string;
  readonly engineTime: string;
}

export interface AggregateSql {
  /** Float64. */
  readonly value: string;
  /** What `value` is when no event counts; null when it is of no use then. */
  readonly valueWhenEmpty: number | null;
  /** How many events count, or what else is 0 when `value` is of no use. */
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
      return {
        value: `sqrt(toFloat64(${spreadSql(matches, amount)})) / ${count}`,
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
    distinct: ({ matches, text }) => {
      const count = `uniqExactIf(${text}, ${matches})`;
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
    seenBefore: ({ matches, text, paymentText }) => {
      const isAbsent = `any(${paymentText}) IS NULL`;
      const count = `if(${isAbsent}, 1, countIf(${matches} AND ${text} = ${paymentText}))`;
      return { value: `if(${isAbsent}, nan, 1)`, valueWhenEmpty: null, count };
    },
    zScore: ({ matches, amount, paymentAmount }) => {
      const spread = spreadSql(matches, amount);
      const distance = `toInt128(countIf(${matches})) * any(${paymentAmount}) - sumIf(${amount}, ${matches})`;
      return { value: `toFloat64(${distance}) / sqrt(toFloat64(${spread}))`, valueWhenEmpty: null, count: spread };
    },
  };

/** n times the sum of squares less the square of the sum: n^2 times the variance. 0 when no event counts. */
function spreadSql(matches: string, amount: string): string {
  const squares = `sumIf(toInt128(${amount}) * ${amount}, ${matches})`;
  const sum = `toInt128(sumIf(${amount}, ${matches}))`;
  return `countIf(${matches}) * ${squares} - ${sum} * ${sum}`;
}
