import { bareTransaction } from '../operators/cel/bareContext.ts';
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

/** The payments of one load: chosen before the clock runs, and made a few thousand at a time, as a decoder makes them. */
export class StateEvents {
  /** Events that fill the longest window: those before are the way into the steady state. */
  readonly windowEvents: number;
  readonly count: number;
  readonly #timesMs: Float64Array;
  readonly #amountsMinor: Int32Array;
  readonly #kinds: Uint8Array;
  /** By entity, in the order of SHARES. */
  readonly #chosen: readonly Int32Array[];

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
    this.#chosen = Object.entries(SHARES).map(([entity, share]) => {
      const count = Math.ceil(keys * share);
      const chosen = new Int32Array(this.count);
      const choose = load === 'zipf1.1' ? zipf(random, count) : uniform(random, count);
      for (let index = 0; index < this.count; index++) {
        const isHot = load === 'hot-merchant' && entity === 'merchant' && random.chance(0.5);
        chosen[index] = isHot ? 0 : choose();
      }
      return chosen;
    });
  }

  timeMs(index: number): number {
    return this.#timesMs[index]!;
  }

  /** The payments from one index up to another, their texts new and flat. */
  make(from: number, to: number): Transaction[] {
    return Array.from({ length: to - from }, (_, place) => {
      const index = from + place;
      return {
        ...bareTransaction,
        eventTimeMs: this.#timesMs[index]!,
        type: this.#kinds[index] === 1 ? 'refund' : 'purchase',
        amountMinor: this.#amountsMinor[index]!,
        account: this.#key('account', 0, index),
        card: { token: this.#key('card', 1, index), bin: '622202', last4: null },
        device: this.#key('device', 2, index),
        merchant: this.#key('merchant', 3, index),
      };
    });
  }

  #key(entity: string, column: number, index: number): string {
    return Buffer.from(`${entity}-${this.#chosen[column]![index]!}`, 'latin1').toString('latin1');
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
