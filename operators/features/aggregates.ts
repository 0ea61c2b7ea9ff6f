/** What a window aggregate takes, and what it gives unless its definition says otherwise. */
export interface AggregateTraits {
  /** What `of` names: nothing (there is no `of`), the amount, a text field, or a number. */
  readonly of: 'nothing' | 'amount' | 'text' | 'number';
  /** It depends on which event comes first: what becomes known later cannot take one out of `where` again. */
  readonly isOrdered?: boolean;
  readonly includeCurrent: boolean;
  /** The value when no event is in the window, or none to compare with. */
  readonly whenEmpty: number;
}

const ofNothing: AggregateTraits = { of: 'nothing', includeCurrent: true, whenEmpty: Number.NaN };
const ofAmount: AggregateTraits = { of: 'amount', includeCurrent: true, whenEmpty: Number.NaN };
const ofNumber: AggregateTraits = { of: 'number', includeCurrent: false, whenEmpty: Number.NaN, isOrdered: true };
const ofText: AggregateTraits = { of: 'text', includeCurrent: true, whenEmpty: Number.NaN };

export const aggregateTraits = {
  count: { ...ofNothing, whenEmpty: 0 },
  sum: { ...ofAmount, whenEmpty: 0 },
  avg: ofAmount,
  std: ofAmount,
  min: ofAmount,
  max: ofAmount,
  distinct: { ...ofText, whenEmpty: 0 },
  timeSince: { ...ofNothing, includeCurrent: false },
  rate: ofNothing,
  first: ofNumber,
  last: ofNumber,
  geoVelocity: { ...ofNothing, includeCurrent: false, isOrdered: true },
  seenBefore: { ...ofText, includeCurrent: false, whenEmpty: 0 },
  topShare: ofText,
  hourDeviation: { ...ofNothing, includeCurrent: false },
  zScore: { ...ofAmount, includeCurrent: false },
} as const satisfies Readonly<Record<string, AggregateTraits>>;

/** Aggregates of the events in a window. */
export type WindowAggregate = keyof typeof aggregateTraits;

export const aggregateNames = [
  ...windowAggregateNames(),
  /** No window: one feature declared above, divided by another. */
  'ratio',
  /** No window: a CEL expression over tx and the features declared above it; booleans become 0 and 1. */
  'expression',
] as const;

export type Aggregate = (typeof aggregateNames)[number];

export function isWindowAggregate(name: string): name is WindowAggregate {
  return Object.hasOwn(aggregateTraits, name);
}

function windowAggregateNames(): readonly WindowAggregate[] {
  return Object.keys(aggregateTraits).filter(isWindowAggregate);
}
