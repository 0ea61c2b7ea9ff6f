import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyState } from '../testing/memoryState.ts';
import { blockBytesAt, candidateFields, ROW_CANDIDATES } from './candidates.ts';
import { ColumnKernel } from './kernel/columnKernel.ts';
import { byteOffset } from './kernel/programWords.ts';

const LISTS = 3;
const NODE_BYTES = 16;
const LENGTH_MASK = 0xffff;

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
  /** The key in whose row the list is, behind the first double. */
  readonly key: number;
  /** 0: a whole list. */
  readonly sign: number;
  readonly limit: number;
  /** How many the row holds. */
  readonly room: number;
  dropped = 0;

  constructor(key: number, sign: number, limit: number, room: number) {
    this.key = key;
    this.sign = sign;
    this.limit = limit;
    this.room = sign === 0 ? 0 : room;
  }

  add(kernel: ColumnKernel, item: Item): void {
    const list = this.#list(kernel);
    if (this.sign === 0) kernel.calls.addWhole(list, item.timeMs, item.value);
    else kernel.calls.addPruned(list, this.room, this.sign, item.timeMs, item.value);

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

  remove(kernel: ColumnKernel, item: Item): void {
    kernel.calls.removeWhole(this.#list(kernel), item.timeMs, item.value);
    const place = this.items.findLastIndex(({ timeMs, value }) => timeMs === item.timeMs && value === item.value);
    if (place >= 0) this.items.splice(place, 1);
  }

  expire(kernel: ColumnKernel, boundaryMs: number): void {
    kernel.calls.expire(this.#list(kernel), this.room, boundaryMs);
    while (this.items.length > 0 && this.items[0]!.timeMs <= boundaryMs) this.items.shift();
  }

  clear(kernel: ColumnKernel): void {
    kernel.calls.clearList(this.#list(kernel));
    this.items.length = 0;
  }

  expectSame(kernel: ColumnKernel): void {
    const { items } = this;
    const { calls } = kernel;
    const list = this.#list(kernel);
    const first = calls.oldestOf(list);
    const at = kernel.rowBase(this.key) + 1;
    const length = kernel.words[at * 2 + 1]! & LENGTH_MASK;
    if (items.length * 2 <= this.room) expect(blockBytesAt(kernel, at)).toBe(0);
    const found = Array.from({ length }, (_, place) => itemOf(kernel, first + place * NODE_BYTES));
    expect(found).toEqual(items);
    for (const boundaryMs of [
      0,
      ...[0.2, 0.7, 1].map((share) => items[Math.floor(share * (items.length - 1))]?.timeMs ?? 0),
    ]) {
      const left = items.filter(({ timeMs }) => timeMs > boundaryMs);
      const newest = calls.newestAfter(list, boundaryMs);
      expect(newest === 0 ? undefined : itemOf(kernel, newest)).toEqual(left.at(-1));
      for (const sign of this.sign === 0 ? [1, -1] : [this.sign]) {
        const node =
          this.sign === 0
            ? calls.wholeExtreme(list, sign, boundaryMs)
            : calls.prunedExtreme(first, calls.newestOf(list), boundaryMs);
        const best = left.length === 0 ? undefined : Math.max(...left.map(({ value }) => sign * value));
        expect(node === 0 ? undefined : sign * itemOf(kernel, node).value).toBe(best);
      }
    }
  }

  #list(kernel: ColumnKernel): number {
    return kernel.rowAddress(this.key) + byteOffset(1);
  }

  #insert(place: number, item: Item): void {
    if (this.items.length === this.limit) {
      this.items.pop();
      this.dropped += 1;
    }
    this.items.splice(place, 0, item);
  }
}

function itemOf({ doubles }: ColumnKernel, node: number): Item {
  return { value: doubles[node >>> 3]!, timeMs: doubles[(node >>> 3) + 1]! };
}

/** Plays the steps over three lists, of the greatest values, of the least and of all, which share their blocks. `room`: of a row. */
function play(limit: number, room: number, steps: readonly Step[]): void {
  const create = (): ColumnKernel =>
    new ColumnKernel({ rowLength: 1 + candidateFields(room), maxKeys: LISTS, maxCandidatesPerKey: limit });
  let kernel = create();
  const lists = [1, -1, 0].map((sign) => new ComparedList(kernel.calls.allocateRow(), sign, limit, room));
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
    if (kind === 'clear') compared.clear(kernel);
    else if (kind === 'restart') kernel = copyState(kernel, create());
    else if (kind === 'expire') compared.expire(kernel, items[Math.min(items.length, count) - 1]?.timeMs ?? nowMs);
    else if (kind === 'remove') {
      for (let index = 0; sign === 0 && index < count && items.length > 0; index++)
        compared.remove(kernel, items[random(items.length)]!);
    } else
      for (let index = 0; index < count; index++) {
        nowMs += random(3);
        const timeMs = kind === 'late' ? nowMs - random(50) : nowMs;
        const value = values === 'mixed' ? random(20) : (values === 'falling' ? -1 : 1) * nowMs + random(5);
        compared.add(kernel, { timeMs, value });
      }
    compared.expectSame(kernel);
    expect(kernel.calls.liveCandidates()).toBe(lists.reduce((sum, { items: held }) => sum + held.length, 0));
    expect(kernel.calls.droppedCandidates()).toBe(lists.reduce((sum, { dropped }) => sum + dropped, 0));
  }
  for (const compared of lists) compared.expectSame(kernel);
}

it('are what sorted arrays hold, as lists grow, shrink, are full, make way, and are saved and loaded', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 3, 4, 7, 8, 33, 200),
      fc.constantFrom(0, ROW_CANDIDATES),
      fc.array(step, { maxLength: 60, size: 'max' }),
      play,
    ),
    { numRuns: 200 },
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
  play(LIMIT, 0, [fill, ...slide, ...slide, { ...fill, list: 0, values: 'falling' }, ...slide, ...slide]);
});
