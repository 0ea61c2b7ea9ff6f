import type { CompiledFeature } from '../catalogue.ts';
import { EARTH_RADIUS_KM } from '../distanceKm.ts';
import { LEAST_TIME_MS } from '../geoVelocity.ts';

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
  /** The number that first and last give, NULL where absent. */
  readonly number: string;
  /** Latitude and longitude in degrees, NULL where absent or out of range. */
  readonly place: readonly [string, string];
  readonly paymentPlace: readonly [string, string];
  readonly eventTime: string;
  readonly eventOffset: string;
  readonly engineTime: string;
  readonly paymentTime: string;
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
    first: (window) => edgeNumber('argMinIf', window),
    last: (window) => edgeNumber('argMaxIf', window),
    geoVelocity: (window) => geoVelocitySql(window),
    topShare: ({ matches, text }) => {
      const hasValue = `${matches} AND ${text} IS NOT NULL`;
      const count = `countIf(${hasValue})`;
      // The value stands inside its own map: outside it would have to be other than NULL where no event counts.
      const byValue = `sumMapIf(map(ifNull(${text}, ''), toUInt64(1)), ${hasValue})`;
      return { value: `arrayMax(mapValues(${byValue})) / ${count}`, valueWhenEmpty: null, count };
    },
    hourDeviation: ({ matches, eventTime, paymentTime }) => {
      const count = `countIf(${matches})`;
      const hours = `toHour(${eventTime}, 'UTC') - toHour(${paymentTime}, 'UTC')`;
      const away = `countIf(${matches} AND (${hours} + 25) % 24 > 2)`;
      return { value: `(8 * ${away} + 7) / (8 * (${count} + 1))`, valueWhenEmpty: null, count };
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

/** The number of the first or last event that has one, in the order of time and ledger. */
function edgeNumber(aggregate: 'argMinIf' | 'argMaxIf', window: WindowSql): AggregateSql {
  const { matches, number, eventTime, eventOffset } = window;
  const hasNumber = `${matches} AND ${number} IS NOT NULL`;
  const value = `${aggregate}(ifNull(${number}, nan), (${eventTime}, ${eventOffset}), ${hasNumber})`;
  return { value, valueWhenEmpty: null, count: `countIf(${hasNumber})` };
}

/** As geoVelocity.ts has it. The place of the newest event that has one is a tuple, taken apart again. */
function geoVelocitySql(window: WindowSql): AggregateSql {
  const { matches, place, paymentPlace, eventTime, eventOffset, paymentTime } = window;
  const hasPlace = `${matches} AND ${place[0]} IS NOT NULL AND ${place[1]} IS NOT NULL`;
  const newest = `(${place.map((degrees) => `ifNull(${degrees}, nan)`).join(', ')}, ${eventTime})`;
  const before = `argMaxIf(${newest}, (${eventTime}, ${eventOffset}), ${hasPlace})`;
  const [latitude, longitude] = paymentPlace.map((degrees) => `any(${degrees})`);
  const isAbsent = `(${latitude} IS NULL OR ${longitude} IS NULL)`;
  const haversine =
    `pow(sin(radians(${latitude} - ${before}.1) / 2), 2) + ` +
    `cos(radians(${latitude})) * cos(radians(${before}.1)) * pow(sin(radians(${longitude} - ${before}.2) / 2), 2)`;
  const km = `${2 * EARTH_RADIUS_KM} * asin(sqrt(least(1, ${haversine})))`;
  const ms = `greatest(abs(dateDiff('millisecond', ${before}.3, any(${paymentTime}))), ${LEAST_TIME_MS})`;
  return {
    // least would take its other argument for NULL.
    value: `if(${isAbsent}, nan, ifNull(${km} * 3600000 / ${ms}, nan))`,
    valueWhenEmpty: null,
    count: `if(${isAbsent}, 1, countIf(${hasPlace}))`,
  };
}
