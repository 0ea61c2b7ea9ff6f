import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyState } from '../testing/memoryState.ts';
import { CANDIDATE_FIELDS, Candidates, candidatesOf } from './candidates.ts';
import { BOUNDARY, createEventNumbers, TIME, VALUE } from './eventNumbers.ts';

const LISTS = 3;

interface Item {
  readonly timeMs: number;
  readonly value: number;
}

interface Step {
  readonly kind: 'add' | 'late' | 'remove' | 'expire' | 'clear' | 'restart';
  readonly list: number;
  /** How many events it is about: a share of the limit, */
  readonly many: number;
  /** and so many more. */
  readonly few: number;
  readonly values: 'falling' | 'rising' | 'mixed';
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'late', 'remove', 'expire', 'expire', 'clear', 'restart'),
  list: fc.nat(LISTS - 1),
  many: fc.constantFrom(0, 0, 0.4, 1.3),
  few: fc.integer({ min: 1, max: 6 }),
  values: fc.constantFrom('falling', 'falling', 'rising', 'mixed'),
});

/** One list as a plain array, oldest first, beside the same list among the candidates. */
class ComparedList {
  readonly items: Item[] = [];
  readonly row = new Float64Array(CANDIDATE_FIELDS + 1);
  /** 0: a whole list. */
  readonly sign: number;
  readonly limit: number;
  dropped = 0;

  constructor(sign: number, limit: number) {
    this.sign = sign;
    this.limit = limit;
  }

  add(candidates: Candidates, event: Float64Array, item: Item): void {
    event[TIME] = item.timeMs;
    event[VALUE] = item.value;
    if (this.sign === 0) candidates.addWhole(this.row, 1, event);
    else candidates.addPruned(this.row, 1, this.sign, event);

    const { items, sign } = this;
    const place = items.filter(({ timeMs }) => timeMs <= item.timeMs).length;
    if (sign === 0) {
      this.#insert(place, item);
      return;
    }
    if (items.slice(place).some(({ value }) => sign * value >= sign * item.value)) return;
    const older = items.slice(0, place).filter(({ value }) => sign * value > sign * item.value);
    if (older.length === place) this.#insert(place, item);
    else items.splice(0, place, ...older, item);
  }

  remove(candidates: Candidates, event: Float64Array, item: Item): void {
    event[TIME] = item.timeMs;
    event[VALUE] = item.value;
    candidates.removeWhole(this.row, 1, event);
    const place = this.items.findLastIndex(({ timeMs, value }) => timeMs === item.timeMs && value === item.value);
    if (place >= 0) this.items.splice(place, 1);
  }

  expire(candidates: Candidates, event: Float64Array, boundaryMs: number): void {
    event[BOUNDARY] = boundaryMs;
    candidates.expire(this.row, 1, event);
    while (this.items.length > 0 && this.items[0]!.timeMs <= boundaryMs) this.items.shift();
  }

  clear(candidates: Candidates): void {
    candidates.clear(this.row, 1);
    this.items.length = 0;
  }

  expectSame(candidates: Candidates, event: Float64Array): void {
    const { items, row } = this;
    const first = candidates.oldest(row, 1);
    const found = Array.from({ length: candidatesOf(row, 1) }, (_, place) => itemOf(candidates, first + place));
    expect(found).toEqual(items);
    for (const boundaryMs of [
      0,
      ...[0.2, 0.7, 1].map((share) => items[Math.floor(share * (items.length - 1))]?.timeMs ?? 0),
    ]) {
      event[BOUNDARY] = boundaryMs;
      const left = items.filter(({ timeMs }) => timeMs > boundaryMs);
      const newest = candidates.newestAfter(row, 1, event);
      expect(newest === 0 ? undefined : itemOf(candidates, newest)).toEqual(left.at(-1));
      for (const sign of this.sign === 0 ? [1, -1] : [this.sign]) {
        const node =
          this.sign === 0
            ? candidates.wholeExtreme(row, 1, sign, event)
            : candidates.prunedExtreme(first, candidates.newest(row, 1), event);
        const best = left.length === 0 ? undefined : Math.max(...left.map(({ value }) => sign * value));
        expect(node === 0 ? undefined : sign * itemOf(candidates, node).value).toBe(best);
      }
    }
  }

  #insert(place: number, item: Item): void {
    if (this.items.length === this.limit) {
      this.items.pop();
      this.dropped += 1;
    }
    this.items.splice(place, 0, item);
  }
}

function itemOf(candidates: Candidates, node: number): Item {
  const page = candidates.page(node);
  return { timeMs: page[candidates.timeOffset(node)]!, value: page[candidates.valueOffset(node)]! };
}

/** Plays the steps over three lists, of the greatest values, of the least and of all, which share their blocks. */
function play(limit: number, steps: readonly Step[]): void {
  const event = createEventNumbers();
  const lists = [1, -1, 0].map((sign) => new ComparedList(sign, limit));
  let candidates = new Candidates(limit);
  let nowMs = 1_000_000;
  let draw = 1;
  const random = (below: number): number => {
    draw = (Math.imul(draw, 1_103_515_245) + 12_345) >>> 0;
    return (draw >>> 8) % below;
  };
  for (const { kind, list, many, few, values } of steps) {
    const compared = lists[list]!;
    const { items, sign } = compared;
    const count = few + Math.floor(many * limit);
    if (kind === 'clear') compared.clear(candidates);
    else if (kind === 'restart') candidates = copyState(candidates, new Candidates(limit));
    else if (kind === 'expire')
      compared.expire(candidates, event, items[Math.min(items.length, count) - 1]?.timeMs ?? nowMs);
    else if (kind === 'remove') {
      for (let index = 0; sign === 0 && index < count && items.length > 0; index++)
        compared.remove(candidates, event, items[random(items.length)]!);
    } else
      for (let index = 0; index < count; index++) {
        nowMs += random(3);
        const timeMs = kind === 'late' ? nowMs - random(50) : nowMs;
        const value = values === 'mixed' ? random(20) : (values === 'falling' ? -1 : 1) * nowMs + random(5);
        compared.add(candidates, event, { timeMs, value });
      }
    compared.expectSame(candidates, event);
    expect(candidates.live).toBe(lists.reduce((sum, { items: held }) => sum + held.length, 0));
    expect(candidates.dropped).toBe(lists.reduce((sum, { dropped }) => sum + dropped, 0));
  }
  for (const compared of lists) compared.expectSame(candidates, event);
}

it('are what sorted arrays hold, as lists grow, shrink, are full, make way, and are saved and loaded', () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 3, 4, 7, 8, 33, 200), fc.array(step, { maxLength: 60, size: 'max' }), play),
    { numRuns: 150 },
  );
});

it('slide on when they are full: a block has room for what comes while what has left still takes some', () => {
  const LIMIT = 4_096;
  const fill: Step = { kind: 'add', list: 2, many: 1, few: 1, values: 'mixed' };
  const slide: Step[] = [
    { ...fill, kind: 'expire', many: 0, few: 3 },
    { ...fill, many: 0, few: 3 },
    { ...fill, kind: 'expire', many: 0.4 },
    { ...fill, many: 0.4 },
  ];
  play(LIMIT, [fill, ...slide, ...slide, { ...fill, list: 0, values: 'falling' }, ...slide, ...slide]);
});
