import { Random } from '../pipeline/simulate/random.ts';
import type { Transaction } from '../schemas/types.ts';
import { LATENESS_MS, LONGEST_WINDOW_MS } from './stateCatalogue.ts';

/** How events fall upon keys. */
export const stateLoads = ['uniform', 'zipf1.1', 'hot-merchant'] as const;
export type StateLoad = (typeof stateLoads)[number];

/** Events of which each key sees this many in the longest window, on average. */
const EVENTS_PER_KEY = 6;
const LATE_SHARE = 0.01;
const START_MS = 1_767_225_600_000;
const ZIPF_EXPONENT = 1.1;
/** Shares of all keys. */
const SHARES = { account: 0.32, card: 0.32, device: 0.32, merchant: 0.04 };
const SEED = 20_261_125;

/** The payments of one load, made before the clock runs; in flat arrays, to leave the collector nothing to do. */
export class StateEvents {
  /** Events that fill the longest window: those before are the way into the steady state. */
  readonly windowEvents: number;
  readonly count: number;
  readonly #timesMs: Float64Array;
  readonly #amountsMinor: Int32Array;
  readonly #kinds: Uint8Array;
  readonly #columns: readonly { readonly names: readonly string[]; readonly chosen: Int32Array }[];
  /** One object for all events, as a decoder would fill it. */
  readonly #transaction: { -readonly [Field in keyof Transaction]: Transaction[Field] };
  readonly #card = { token: '', bin: '622202', last4: null };

  constructor(load: StateLoad, keys: number, events: number) {
    const random = new Random(SEED, load);
    this.windowEvents = Math.ceil(keys * SHARES.account) * EVENTS_PER_KEY;
    this.count = this.windowEvents + events;
    const stepMs = LONGEST_WINDOW_MS / this.windowEvents;
    this.#timesMs = new Float64Array(this.count);
    this.#amountsMinor = new Int32Array(this.count);
    this.#kinds = new Uint8Array(this.count);
    for (let index = 0; index < this.count; index++) {
      const lateMs = random.chance(LATE_SHARE) ? random.next() * LATENESS_MS : 0;
      this.#timesMs[index] = Math.floor(START_MS + index * stepMs - lateMs);
      this.#amountsMinor[index] = Math.min(1e9, Math.ceil(random.logNormal(12_000, 1.2)));
      this.#kinds[index] = Number(random.chance(0.05));
    }
    this.#columns = Object.entries(SHARES).map(([entity, share]) => {
      const names = Array.from({ length: Math.ceil(keys * share) }, (_, key) => `${entity}-${key}`);
      const chosen = new Int32Array(this.count);
      const choose = load === 'zipf1.1' ? zipf(random, names.length) : uniform(random, names.length);
      for (let index = 0; index < this.count; index++) {
        const isHot = load === 'hot-merchant' && entity === 'merchant' && random.chance(0.5);
        chosen[index] = isHot ? 0 : choose();
      }
      return { names, chosen };
    });
    this.#transaction = {
      transactionId: 't-1',
      eventTimeMs: START_MS + 0.5,
      type: 'purchase',
      channel: 'card',
      amountMinor: 0,
      currency: 'CNY',
      account: '',
      card: this.#card,
      device: '',
      ip: null,
      merchant: '',
      mcc: null,
      terminal: null,
      payee: null,
      country: null,
      authMethods: [],
      originalTransactionId: null,
      attributes: {},
    };
  }

  /** The same object every time, filled anew. */
  at(index: number): Transaction {
    const transaction = this.#transaction;
    transaction.eventTimeMs = this.#timesMs[index] ?? 0;
    transaction.amountMinor = this.#amountsMinor[index] ?? 0;
    transaction.type = this.#kinds[index] === 1 ? 'refund' : 'purchase';
    transaction.account = this.#name(0, index);
    this.#card.token = this.#name(1, index);
    transaction.device = this.#name(2, index);
    transaction.merchant = this.#name(3, index);
    return transaction;
  }

  #name(column: number, index: number): string {
    const { names, chosen } = this.#columns[column]!;
    return names[chosen[index]!]!;
  }
}

function uniform(random: Random, count: number): () => number {
  return () => Math.floor(random.next() * count);
}

/** Key k, from 0, with a probability that falls with (k + 1)^-1.1; keys are scattered over the names. */
function zipf(random: Random, count: number): () => number {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let key = 0; key < count; key++) {
    sum += (key + 1) ** -ZIPF_EXPONENT;
    cumulative[key] = sum;
  }
  return () => {
    const point = random.next() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle]! > point) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
