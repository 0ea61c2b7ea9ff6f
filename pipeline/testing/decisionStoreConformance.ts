import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DecisionRow, DecisionStore, SealRow } from '../ports.ts';

/** One decision store under test and the means to open it again. */
export interface DecisionStoreHarness {
  /** Opens the store: empty the first time, with everything written before afterwards. */
  open(): Promise<DecisionStore>;
  /** Closes what open() gave. */
  close(): Promise<void>;
  /** Removes what the test left, closing the store if need be. */
  dispose(): Promise<void>;
}

const row = (ledgerOffset: number, transactionId: string, text: string, isFirst = true): DecisionRow => ({
  ledgerOffset,
  transactionId,
  isFirst,
  value: Buffer.from(text),
});

const seal = (ledgerOffset: number, text: string): SealRow => ({ ledgerOffset, value: Buffer.from(text) });

/** What every decision store promises (pipeline/ports.ts). Any adapter runs it. */
export function describeDecisionStore(name: string, createHarness: () => Promise<DecisionStoreHarness>): void {
  describe(`${name} as a decision store`, () => {
    let harness: DecisionStoreHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(async () => {
      await harness.dispose();
    });

    it('starts empty', async () => {
      const store = await harness.open();
      expect(store.lastOffset()).toBe(-1);
      expect(await store.get(0)).toBeUndefined();
      expect(await store.find('t-1')).toBeUndefined();
      expect(await store.read(0, 100)).toEqual([]);
    });

    it('finds a decision by ledger offset and by transaction id', async () => {
      const store = await harness.open();
      await store.put([row(3, 't-1', 'one'), row(7, 't-2', 'two')]);
      expect((await store.get(3))?.toString()).toBe('one');
      expect((await store.find('t-2'))?.toString()).toBe('two');
      expect(await store.get(4)).toBeUndefined();
      expect(await store.find('t-3')).toBeUndefined();
      expect(store.lastOffset()).toBe(7);
    });

    it('keeps an id pointing at its first decision', async () => {
      const store = await harness.open();
      await store.put([row(1, 't-1', 'first'), row(2, 't-1', 'duplicate', false)]);
      await store.put([row(5, 't-1', 'conflict', false)]);
      expect((await store.find('t-1'))?.toString()).toBe('first');
      expect((await store.get(2))?.toString()).toBe('duplicate');
      expect((await store.get(5))?.toString()).toBe('conflict');
    });

    it('is not changed by the same decisions written again, also out of order', async () => {
      const store = await harness.open();
      await store.put([row(4, 't-4', 'four'), row(5, 't-5', 'five')]);
      await store.put([row(5, 't-5', 'five'), row(4, 't-4', 'four'), row(6, 't-6', 'six')]);
      const rows = await store.read(0, 100);
      expect(rows.map((kept) => kept.ledgerOffset)).toEqual([4, 5, 6]);
      expect(rows.map((kept) => kept.value.toString())).toEqual(['four', 'five', 'six']);
      expect(store.lastOffset()).toBe(6);
    });

    it('keeps what was decided first', async () => {
      const store = await harness.open();
      await store.put([row(4, 't-4', 'as told to the gateway')]);
      await store.put([row(4, 't-4', 'decided anew')]);
      expect((await store.get(4))?.toString()).toBe('as told to the gateway');
    });

    it('reads a range in order, its end excluded', async () => {
      const store = await harness.open();
      await store.put([9, 300, 70_000, 5_000_000_000].map((offset) => row(offset, `t-${offset}`, `d${offset}`)));
      expect((await store.read(9, 70_000)).map((kept) => kept.ledgerOffset)).toEqual([9, 300]);
      expect((await store.read(10, 5_000_000_001)).map((kept) => kept.value.toString())).toEqual([
        'd300',
        'd70000',
        'd5000000000',
      ]);
      expect(await store.read(10, 10)).toEqual([]);
      expect(store.lastOffset()).toBe(5_000_000_000);
    });

    it('takes calls made at once', async () => {
      const store = await harness.open();
      await Promise.all(
        Array.from({ length: 60 }, (_, offset) => store.put([row(offset, `t-${offset}`, `d${offset}`)])),
      );
      expect((await store.read(0, 60)).map((kept) => kept.ledgerOffset)).toEqual(
        Array.from({ length: 60 }, (_, i) => i),
      );
    });

    it('takes an empty call', async () => {
      const store = await harness.open();
      await store.put([]);
      expect(store.lastOffset()).toBe(-1);
    });

    it('takes transaction ids of any characters', async () => {
      const store = await harness.open();
      const ids = ['a', 'a\u0000b', '交易-1', ' ', '0', '1e5', 'true', 'x'.repeat(64), '交'.repeat(64)];
      await store.put(ids.map((id, offset) => row(offset, id, `d${offset}`)));
      for (const [offset, id] of ids.entries()) expect((await store.find(id))?.toString()).toBe(`d${offset}`);
    });

    it('keeps seals with the decisions, and of each the first', async () => {
      const store = await harness.open();
      expect(store.lastSeal()).toBeNull();
      await store.put([row(1, 't-1', 'one')], [seal(0, 'a'), seal(1, 'b')]);
      await store.put([], [seal(1, 'other'), seal(2, 'c')]);
      await Promise.all([3, 4, 5].map((offset) => store.put([], [seal(offset, `s${offset}`)])));
      const texts = (await store.seals(0, 5)).map(({ ledgerOffset, value }) => `${ledgerOffset} ${value.toString()}`);
      expect(texts).toEqual(['0 a', '1 b', '2 c', '3 s3', '4 s4']);
      expect(store.lastSeal()).toMatchObject({ ledgerOffset: 5 });
      await harness.close();
      const again = await harness.open();
      expect(again.lastSeal()?.value.toString()).toBe('s5');
      await again.put([], [seal(6, 'g')]);
      expect((await again.seals(5, 9)).map(({ ledgerOffset }) => ledgerOffset)).toEqual([5, 6]);
    });

    it('notes where the chain begins, once', async () => {
      const store = await harness.open();
      expect(store.chainBegin()).toBeNull();
      expect(await store.beginChain(7)).toBe(7);
      expect(await store.beginChain(9)).toBe(7);
      await harness.close();
      expect((await harness.open()).chainBegin()).toBe(7);
    });

    it('keeps everything when it is closed and opened again', async () => {
      const first = await harness.open();
      await first.put([row(1, 't-1', 'one'), row(2, 't-2', 'two')]);
      await harness.close();
      const second = await harness.open();
      expect(second.lastOffset()).toBe(2);
      expect((await second.find('t-1'))?.toString()).toBe('one');
      await second.put([row(3, 't-3', 'three')]);
      expect((await second.read(0, 10)).length).toBe(3);
    });
  });
}
