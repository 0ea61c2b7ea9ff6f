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
      case 'last':
      case 'first': {
        const numbers = inOrder(matching).flatMap(({ tx }) => numberOf(feature.numberField ?? '', tx) ?? []);
        return numbers.at(feature.aggregate === 'last' ? -1 : 0) ?? feature.whenEmpty;
      }
      case 'geoVelocity': {
        const here = placeOf(current.tx);
        if (here === null) return Number.NaN;
        const before = inOrder(matching)
          .filter(({ tx }) => placeOf(tx) !== null)
          .at(-1);
        const there = before === undefined ? null : placeOf(before.tx);
        if (before === undefined || there === null) return feature.whenEmpty;
        const hours = Math.max(1_000, Math.abs(current.tx.eventTimeMs - before.timeMs)) / 3_600_000;
        return (6_371.0088 * angleBetween(here, there)) / hours;
      }
      case 'topShare': {
        const values = matching.flatMap((event) => valueOf(feature, event) ?? []);
        const counts = values.map((value) => values.filter((other) => other === value).length);
        return values.length === 0 ? feature.whenEmpty : Math.max(...counts) / values.length;
      }
      case 'hourDeviation': {
        const hour = new Date(current.tx.eventTimeMs).getUTCHours();
        const near = [(hour + 23) % 24, hour, (hour + 1) % 24];
        const away = matching.filter(({ timeMs }) => !near.includes(new Date(timeMs).getUTCHours())).length;
        return count === 0 ? feature.whenEmpty : (8 * away + 7) / (8 * (count + 1));
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

/** By time, events of one time in the order of the ledger. */
function inOrder(events: readonly HeldEvent[]): readonly HeldEvent[] {
  return [...events].sort((a, b) => a.timeMs - b.timeMs || a.ledgerOffset - b.ledgerOffset);
}

function numberOf(field: string, tx: Transaction): number | null {
  if (field === 'amountMinor') return tx.amountMinor;
  const value = tx.attributes[field.replace('attributes.', '')];
  return typeof value === 'number' ? value : null;
}

type Vector = readonly [number, number, number];

/** The place on a sphere of radius 1, null without coordinates. */
function placeOf(tx: Transaction): Vector | null {
  const latitude = numberOf('latitude', tx);
  const longitude = numberOf('longitude', tx);
  if (latitude === null || longitude === null || Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return null;
  const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

function angleBetween([a, b, c]: Vector, [x, y, z]: Vector): number {
  return Math.atan2(Math.hypot(b * z - c * y, c * x - a * z, a * y - b * x), a * x + b * y + c * z);
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
    lists: { has: () => false, isEmpty: () => true },
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
