import type { Label, Outcome, Transaction } from '../../../schemas/types.ts';
import type { EvaluationContext } from '../../cel/context.ts';
import { CelEvaluationError } from '../../cel/celEvaluationError.ts';
import { NOTHING_KNOWN, type KnownFacts } from '../../cel/facts.ts';
import type { CompiledCatalogue, CompiledFeature } from '../catalogue.ts';

interface HeldEvent {
  readonly tx: Transaction;
  readonly ledgerOffset: number;
  readonly timeMs: number;
  known: KnownFacts;
  /** By refunds of less than its amount. */
  refundedMinor: number;
}

type WindowFeature = Extract<CompiledFeature, { kind: 'window' }>;

/**
 * What every feature state must answer, written to be obviously right: all events are kept in an array, and each
 * feature scans all of them. Sums are BigInt. It knows no bounds.
 */
export class FeatureOracle {
  readonly #catalogue: CompiledCatalogue;
  readonly #events: HeldEvent[] = [];
  #timeMs = 0;

  constructor(catalogue: CompiledCatalogue) {
    this.#catalogue = catalogue;
  }

  advanceTime(timeMs: number): void {
    this.#timeMs = Math.max(this.#timeMs, timeMs);
  }

  addLabel(label: Label): void {
    this.#learn(label.transactionOffset, { label: label.label });
  }

  addOutcome(outcome: Outcome): void {
    this.#learn(outcome.transactionOffset, { outcome: outcome.outcome });
  }

  addReversal(reversal: Transaction, originalOffset: number): void {
    const original = this.#events.find(({ ledgerOffset }) => ledgerOffset === originalOffset);
    if (original === undefined) return;
    const isPart = reversal.type === 'refund' && reversal.amountMinor < original.tx.amountMinor;
    if (isPart) original.refundedMinor += reversal.amountMinor;
    else if (reversal.type === 'reversal' || reversal.type === 'refund')
      original.known = { ...original.known, reversed: true };
  }

  addTransaction(tx: Transaction, ledgerOffset: number): { readonly isLate: boolean; readonly features: Float64Array } {
    this.advanceTime(tx.eventTimeMs);
    const oldestMs = this.#timeMs - this.#catalogue.latenessMs;
    const current: HeldEvent = {
      tx,
      ledgerOffset,
      timeMs: Math.max(tx.eventTimeMs, oldestMs),
      known: NOTHING_KNOWN,
      refundedMinor: 0,
    };
    this.#events.push(current);
    const features = new Float64Array(this.#catalogue.features.length);
    for (const [index, feature] of this.#catalogue.features.entries()) {
      features[index] = feature.kind === 'window' ? this.#window(feature, current) : expression(feature, tx, features);
    }
    return { isLate: tx.eventTimeMs < oldestMs, features };
  }

  #learn(offset: number | null, facts: Partial<KnownFacts>): void {
    const event = this.#events.find(({ ledgerOffset }) => ledgerOffset === offset);
    if (event !== undefined) event.known = { ...event.known, ...facts };
  }

  #window(feature: WindowFeature, current: HeldEvent): number {
    const key = keyOf(feature.entity, current.tx);
    if (key === null) return Number.NaN;
    const to = this.#timeMs - feature.delayMs;
    const from = to - feature.windowMs;
    const all = this.#events.filter(
      (event) =>
        event.timeMs > from &&
        event.timeMs <= to &&
        keyOf(feature.entity, event.tx) === key &&
        (feature.includeCurrent || event !== current),
    );
    const matching = all.filter((event) => matches(feature, event));
    const amounts = matching.map((event) => (feature.isNet ? netAmountMinor(event) : event.tx.amountMinor));
    const sum = amounts.reduce((total, amount) => total + BigInt(amount), 0n);
    const squares = amounts.reduce((total, amount) => total + BigInt(amount) * BigInt(amount), 0n);
    const count = matching.length;
    switch (feature.aggregate) {
      case 'count':
        return count === 0 ? feature.whenEmpty : count;
      case 'sum':
        return count === 0 ? feature.whenEmpty : Number(sum);
      case 'avg':
        return count === 0 ? feature.whenEmpty : Number(sum) / count;
      case 'std': {
        if (count === 0) return feature.whenEmpty;
        return Math.sqrt(Number(BigInt(count) * squares - sum * sum)) / count;
      }
      case 'min':
        return count === 0 ? feature.whenEmpty : Math.min(...amounts);
      case 'max':
        return count === 0 ? feature.whenEmpty : Math.max(...amounts);
      case 'timeSince': {
        const newestMs = Math.max(...matching.map(({ timeMs }) => timeMs));
        return count === 0 ? feature.whenEmpty : (this.#timeMs - newestMs) / 1_000;
      }
      case 'rate':
        return all.length === 0 ? feature.whenEmpty : count / all.length;
      case 'distinct': {
        const values = new Set(matching.flatMap((event) => valueOf(feature, event) ?? []));
        return values.size === 0 ? feature.whenEmpty : values.size;
      }
      case 'seenBefore': {
        const value = valueOf(feature, current);
        if (value === null) return Number.NaN;
        return matching.some((event) => valueOf(feature, event) === value) ? 1 : feature.whenEmpty;
      }
      case 'zScore': {
        const spread = BigInt(count) * squares - sum * sum;
        if (spread === 0n) return feature.whenEmpty;
        return Number(BigInt(count) * BigInt(current.tx.amountMinor) - sum) / Math.sqrt(Number(spread));
      }
    }
  }
}

/** The event's value of the feature's text field, null when it has none. */
function valueOf(feature: WindowFeature, event: HeldEvent): string | null {
  return keyOf([feature.textField ?? ''], event.tx);
}

function netAmountMinor({ tx, known, refundedMinor }: HeldEvent): number {
  return known.reversed ? 0 : Math.max(0, tx.amountMinor - refundedMinor);
}

function matches(feature: WindowFeature, event: HeldEvent): boolean {
  if (feature.where === null) return true;
  return orIfFailed(false, () => feature.where?.expression.test(contextOf(event.tx, event.known)) ?? true);
}

function expression(
  feature: Extract<CompiledFeature, { kind: 'expression' }>,
  tx: Transaction,
  features: Float64Array,
): number {
  const context = { ...contextOf(tx, NOTHING_KNOWN), features };
  const value = orIfFailed(Number.NaN, () => feature.expression.number(context));
  return Number.isNaN(value) ? feature.whenEmpty : value;
}

function orIfFailed<T>(otherwise: T, evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof CelEvaluationError) return otherwise;
    throw error;
  }
}

function contextOf(tx: Transaction, known: KnownFacts): EvaluationContext {
  return {
    tx,
    known,
    features: new Float64Array(0),
    featureBase: 0,
    modelScore: Number.NaN,
    modelProbability: Number.NaN,
    lists: { has: () => false },
  };
}

/** The fields as one JSON text, null when any of them is absent. */
function keyOf(fields: readonly string[], tx: Transaction): string | null {
  const values = fields.map((field): unknown => {
    if (field === 'card') return tx.card?.token;
    if (field === 'cardBin') return tx.card?.bin;
    const [owner, name] = field.split('.');
    if (owner === 'attributes' && name !== undefined) {
      const value = tx.attributes[name];
      return typeof value === 'string' ? value : null;
    }
    return Object.entries(tx).find(([key]) => key === field)?.[1];
  });
  return values.some((value) => value === null || value === undefined) ? null : JSON.stringify(values);
}
