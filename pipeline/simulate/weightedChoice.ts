import type { Random } from './random.ts';

/** Picks indexes in proportion to their weights, in O(log n). */
export class WeightedChoice {
  readonly #cumulative: Float64Array;

  constructor(weights: ArrayLike<number>) {
    this.#cumulative = new Float64Array(weights.length);
    let total = 0;
    for (let index = 0; index < weights.length; index++) {
      total += weights[index] ?? 0;
      this.#cumulative[index] = total;
    }
    if (!(total > 0)) throw new Error('WeightedChoice needs a positive total weight');
  }

  pick(random: Random): number {
    const cumulative = this.#cumulative;
    const target = random.next() * (cumulative[cumulative.length - 1] ?? 0);
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] ?? 0) <= target) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
