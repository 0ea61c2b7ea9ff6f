import { z } from 'zod';
import fc from 'fast-check';
import type { Label, LabelKind, Outcome, OutcomeKind, Transaction, TransactionType } from '../../../schemas/types.ts';
import type { EntityName, FeatureDefinition } from '../../definitions.ts';
import { aggregateTraits, isWindowAggregate, type AggregateTraits } from '../aggregates.ts';
import { compileCatalogue, type CompiledCatalogue } from '../catalogue.ts';

const START_MS = 1_700_000_000_000;
/** Long enough for several hours of the day. */
export const LONGEST_WINDOW_MS = 36_000_000;

const wheres = [
  "tx.type == 'purchase'",
  'tx.amountMinor > 500',
  'tx.attributes.risk > 3',
  "label == 'fraud'",
  "label != 'fraud'",
  "label == 'genuine' || tx.channel == 'wallet'",
  "label != 'none' && tx.amountMinor < 1000",
  "outcome == 'declined'",
  "outcome in ['none', 'authorised'] && tx.amountMinor > 500",
  "outcome != 'none' && (label == 'fraud' || outcome == 'declined')",
  '!reversed',
  "reversed && tx.type == 'purchase' && outcome != 'declined'",
  "outcome.contains('ed') || tx.attributes.risk > 3",
];

const entityTuples: readonly (readonly EntityName[])[] = [
  ['account'],
  ['card'],
  ['merchant'],
  ['account', 'merchant'],
  ['merchant', 'account', 'card'],
];

const windowFeature: fc.Arbitrary<Omit<FeatureDefinition, 'name'>> = fc
  .record({
    aggregate: fc.constantFrom(...Object.keys(aggregateTraits).filter(isWindowAggregate)),
    entity: fc.constantFrom(...entityTuples),
    windowMs: fc.constantFrom(1_000, 2_000, 5_000, 20_000, LONGEST_WINDOW_MS),
    delayMs: fc.constantFrom(undefined, 0, 1_000, 3_000, 5_000),
    where: fc.constantFrom(undefined, ...wheres),
    includeCurrent: fc.constantFrom(undefined, true, false),
    whenEmpty: fc.constantFrom(undefined, 0, -1),
    of: fc.constantFrom('merchant', 'card', 'cardBin', 'country', 'attributes.shop'),
    isNet: fc.boolean(),
    numberOf: fc.constantFrom('amountMinor', 'attributes.risk', 'attributes.latitude'),
  })
  .map(({ of, numberOf, isNet, where, includeCurrent, ...feature }) => {
    const traits: AggregateTraits = aggregateTraits[feature.aggregate];
    const fields = {
      nothing: undefined,
      amount: isNet && ['sum', 'avg'].includes(feature.aggregate) ? 'netAmountMinor' : 'amountMinor',
      number: numberOf,
      // No field may be in the entity of a seenBefore.
      text: feature.entity.some((name) => name === of) ? 'country' : of,
    };
    const field = fields[traits.of];
    const condition = feature.aggregate === 'rate' ? (where ?? wheres[3]) : where;
    const isAdmitted = traits.isOrdered !== true || !/label|outcome|reversed/.test(condition ?? '');
    return withoutUndefined({
      ...feature,
      includeCurrent: feature.aggregate === 'geoVelocity' ? undefined : includeCurrent,
      of: field,
      where: isAdmitted ? condition : wheres[1],
    });
  });

const nameless = z.custom<Omit<FeatureDefinition, 'name'>>();

function withoutUndefined(feature: object): Omit<FeatureDefinition, 'name'> {
  return nameless.parse(JSON.parse(JSON.stringify(feature)));
}

/** Compiled catalogues of up to 12 window features and three expressions over them, at any declared lateness. */
export const catalogue: fc.Arbitrary<CompiledCatalogue> = fc
  .record({
    features: fc.array(windowFeature, { minLength: 1, maxLength: 12 }),
    latenessMs: fc.constantFrom(0, 1_500, 4_000, 10_000),
  })
  .map(({ features, latenessMs }) => {
    const named = features.map((feature, index) => ({ ...feature, name: `f${index}` }));
    const expressions: FeatureDefinition[] = [
      { name: 'twice', aggregate: 'expression', expression: 'f.f0 * 2 + tx.amountMinor' },
      { name: 'ratio', aggregate: 'ratio', numerator: 'twice', denominator: 'f0' },
      { name: 'share', aggregate: 'expression', expression: 'f.twice / tx.attributes.risk', whenEmpty: -7 },
    ];
    const compiled = compileCatalogue([...named, ...expressions], latenessMs);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
    return compiled.value;
  });

/** What a ledger brings to the feature state. Times and payments are relative, so that any part of a stream is a stream. */
export type Step =
  | {
      readonly kind: 'transaction';
      readonly aheadMs: number;
      readonly tx: Omit<Transaction, 'transactionId' | 'originalTransactionId' | 'eventTimeMs'>;
      /** It names the step so far back as the payment that it takes back; null: none. */
      readonly takesBack: number | null;
    }
  | { readonly kind: 'tick'; readonly aheadMs: number }
  | { readonly kind: 'label'; readonly back: number; readonly label: LabelKind }
  | { readonly kind: 'outcome'; readonly back: number; readonly outcome: OutcomeKind };

const nullable = (...values: string[]): fc.Arbitrary<string | null> => fc.constantFrom(null, ...values);

/** What a fact is about: mostly a payment, at times another fact, or nothing. */
const stepsBack = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 120 }));

const transaction: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('transaction' as const),
  // Ahead of the newest time; behind it within and beyond the lateness bound; ties.
  aheadMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 1_500 }) },
    { weight: 1, arbitrary: fc.constantFrom(1_000, 2_000, 5_000, 30_000, 5_400_000, 5_400_000) },
    { weight: 4, arbitrary: fc.integer({ min: -12_000, max: -1 }) },
    { weight: 1, arbitrary: fc.constantFrom(-1_000, -1_500, -4_000) },
  ),
  takesBack: fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: stepsBack.map((back) => back + 1) },
  ),
  tx: fc.record({
    type: fc.constantFrom<TransactionType>('purchase', 'purchase', 'refund', 'reversal'),
    channel: fc.constantFrom('card' as const, 'wallet' as const),
    amountMinor: fc.oneof(
      fc.constantFrom(0, 499, 500, 501, 1e12, 1e12 - 1),
      fc.integer({ min: 0, max: 2_000 }),
      fc.integer({ min: 0, max: 1e12 }),
    ),
    currency: fc.constant('CNY'),
    account: nullable('a', 'b'),
    card: fc.constantFrom(null, { token: 'x', bin: '1', last4: null }, { token: 'y', bin: null, last4: null }),
    device: fc.constant(null),
    ip: fc.constant(null),
    merchant: nullable('m', 'n', 'a'),
    mcc: fc.constant(null),
    terminal: fc.constant(null),
    payee: fc.constant(null),
    country: nullable('CN', 'SG', 'GB'),
    authMethods: fc.constant([]),
    attributes: fc.constantFrom<Transaction['attributes']>(
      {},
      { risk: 5 },
      { risk: 0, shop: 's1' },
      { shop: 's2' },
      { latitude: 31.2304, longitude: 121.4737, risk: -0.1 },
      { latitude: 51.5074, longitude: -0.1278, shop: 's1' },
      { latitude: -36.8485, longitude: 174.7633 },
      { latitude: -13.8333, longitude: -171.7667 },
      // No places.
      { latitude: 90.5, longitude: 0, risk: 7 },
      { latitude: 31, shop: 's2' },
    ),
  }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: transaction },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('tick' as const), aheadMs: fc.integer({ min: -500, max: 9_000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('label' as const),
      back: stepsBack,
      label: fc.constantFrom('fraud' as const, 'genuine' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('outcome' as const),
      back: stepsBack,
      outcome: fc.constantFrom<OutcomeKind>('authorised', 'declined', 'captured', 'settled', 'authenticationFailed'),
    }),
  },
);

/** Payments of nearly one instant, which all leave a window at once, or almost; now and then at once with what was before. */
const burst: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.array(transaction, { minLength: 3, maxLength: 20, size: 'max' }),
    fc.constantFrom(0, 1_000, 5_000, 20_000, LONGEST_WINDOW_MS),
    fc.nat({ max: 3 }),
  )
  .map(([steps, afterMs, stepMs]) => [
    ...steps.map((paid) => ({ ...paid, aheadMs: stepMs })),
    { kind: 'tick', aheadMs: Math.max(0, afterMs - 20) },
    { kind: 'tick', aheadMs: 19 },
    { kind: 'tick', aheadMs: 1 },
  ]);

/** Up to `maxSteps`. Without the size, fast-check keeps to about ten: no window would ever fill. */
export function stream(maxSteps: number): fc.Arbitrary<Step[]> {
  const part = fc.oneof({ weight: 20, arbitrary: step.map((single) => [single]) }, { weight: 1, arbitrary: burst });
  return fc
    .array(part, { minLength: 1, maxLength: maxSteps, size: 'max' })
    .map((parts) => parts.flat().slice(0, maxSteps));
}

/** What takes a stream's steps; the feature state and its oracle do. */
export interface StreamTaker {
  addLabel(label: Label): void;
  addOutcome(outcome: Outcome): void;
  /** Before the reversal itself is added. */
  addReversal(reversal: Transaction, originalOffset: number): void;
  advanceTime(timeMs: number): void;
  addTransaction(tx: Transaction, ledgerOffset: number): void;
}

/** Gives the taker each step at its time; a step's ledger offset is its place times the stride. Returns the greatest time seen. */
export function playStream(steps: readonly Step[], taker: StreamTaker, stride = 1): number {
  let timeMs = START_MS;
  for (const [place, event] of steps.entries()) {
    const offset = place * stride;
    if (event.kind === 'label') {
      taker.addLabel({
        transactionId: 't',
        transactionOffset: offset - event.back * stride,
        eventTimeMs: timeMs,
        label: event.label,
        labelSource: 'other',
        fraudType: null,
      });
      continue;
    }
    if (event.kind === 'outcome') {
      taker.addOutcome({
        transactionId: 't',
        transactionOffset: offset - event.back * stride,
        eventTimeMs: timeMs,
        outcome: event.outcome,
        responseCode: null,
      });
      continue;
    }
    const eventTimeMs = timeMs + event.aheadMs;
    timeMs = Math.max(timeMs, eventTimeMs);
    if (event.kind === 'tick') {
      taker.advanceTime(eventTimeMs);
      continue;
    }
    const originalOffset = event.takesBack === null ? null : offset - event.takesBack * stride;
    const originalTransactionId = originalOffset === null ? null : idAt(originalOffset);
    const tx = { ...event.tx, eventTimeMs, transactionId: idAt(offset), originalTransactionId };
    if (originalOffset !== null) taker.addReversal(tx, originalOffset);
    taker.addTransaction(tx, offset);
  }
  return timeMs;
}

function idAt(offset: number): string {
  return `t-${offset}`;
}
