import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger, LedgerRow } from '../ports.ts';
import { LedgerUnavailableError } from '../ports.ts';

/** One ledger under test and the means to open it again. */
export interface LedgerHarness {
  /** Opens the ledger for writing: empty the first time, with everything written before afterwards. */
  open(options?: { readonly maxQueuedRecords?: number }): Promise<Ledger>;
  /** Opens a second view that only reads, while the writer is open; absent where there is none. */
  openReader?(): Promise<Ledger>;
  /** Removes what the test left. Called after every test, with the ledgers closed. */
  dispose(): Promise<void>;
}

const record = (text: string): Buffer => Buffer.from(text);
const texts = (rows: readonly LedgerRow[]): string[] => rows.map((row) => row.value.toString());
const offsets = (rows: readonly LedgerRow[]): number[] => rows.map((row) => row.offset);

async function take(ledger: Ledger, fromOffset: number, count: number, maxRecords = 7): Promise<readonly LedgerRow[]> {
  const controller = new AbortController();
  const taken: LedgerRow[] = [];
  for await (const rows of ledger.tail(fromOffset, { maxRecords, signal: controller.signal })) {
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThanOrEqual(maxRecords);
    taken.push(...rows);
    if (taken.length >= count) controller.abort();
  }
  return taken;
}

/** What every ledger promises (pipeline/ports.ts). Any adapter runs it. */
export function describeLedger(name: string, createHarness: () => Promise<LedgerHarness>): void {
  describe(`${name} as a ledger`, () => {
    let harness: LedgerHarness;
    let opened: Ledger[];

    const open = async (options?: { readonly maxQueuedRecords?: number }): Promise<Ledger> => {
      const ledger = await harness.open(options);
      opened.push(ledger);
      return ledger;
    };

    beforeEach(async () => {
      harness = await createHarness();
      opened = [];
    });
    afterEach(async () => {
      for (const ledger of opened.reverse()) await ledger.close();
      await harness.dispose();
    });

    it('starts empty at offset 0', async () => {
      const ledger = await open();
      expect(ledger.endOffset()).toBe(0);
      expect(await ledger.read(0, 10)).toEqual([]);
      expect(await ledger.append([record('a')])).toBe(0);
      expect(ledger.endOffset()).toBe(1);
    });

    it('gives a call with several values consecutive offsets and resolves to the first', async () => {
      const ledger = await open();
      expect(await ledger.append([record('a'), record('b'), record('c')])).toBe(0);
      expect(await ledger.append([record('d')])).toBe(3);
      const rows = await ledger.read(0, 10);
      expect(texts(rows)).toEqual(['a', 'b', 'c', 'd']);
      expect(offsets(rows)).toEqual([0, 1, 2, 3]);
    });

    it('keeps calls in the order in which they were made', async () => {
      const ledger = await open();
      const given = await Promise.all(Array.from({ length: 50 }, (_, i) => ledger.append([record(`r${i}`)])));
      expect(given).toEqual(Array.from({ length: 50 }, (_, i) => i));
      expect(texts(await ledger.read(0, 50))).toEqual(Array.from({ length: 50 }, (_, i) => `r${i}`));
    });

    it('has no gaps and tears no call apart, however appends are mixed', async () => {
      const ledger = await open();
      let base = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }), { maxLength: 30 }),
          async (calls) => {
            const firsts = await Promise.all(
              calls.map(async (call, callIndex) => {
                for (let turn = 0; turn < (call[0] ?? 0); turn++) await Promise.resolve();
                return await ledger.append(call.map((_, index) => record(`${base}:${callIndex}:${index}`)));
              }),
            );
            const total = calls.reduce((sum, call) => sum + call.length, 0);
            expect(ledger.endOffset()).toBe(base + total);
            const rows = await ledger.read(base, total + 1);
            expect(offsets(rows)).toEqual(Array.from({ length: total }, (_, index) => base + index));
            for (const [callIndex, call] of calls.entries()) {
              const first = firsts[callIndex] ?? -1;
              expect(texts(rows.slice(first - base, first - base + call.length))).toEqual(
                call.map((_, index) => `${base}:${callIndex}:${index}`),
              );
            }
            base += total;
          },
        ),
        { numRuns: 25 },
      );
    });

    it('keeps every byte, up to large records', async () => {
      const ledger = await open();
      const values = [1, 2, 100, 2_000, 5_000, 300_000].map((size, seed) =>
        Buffer.from(Array.from({ length: size }, (_, index) => (index * 31 + seed) % 256)),
      );
      await ledger.append(values);
      const rows = await ledger.read(0, 10);
      expect(rows.map((row) => row.value.equals(values[row.offset] ?? Buffer.alloc(0)))).toEqual(
        values.map(() => true),
      );
    });

    it('lets a reader keep what it read', async () => {
      const ledger = await open();
      await ledger.append([record('first'), record('second')]);
      const before = await ledger.read(0, 2);
      await ledger.append(Array.from({ length: 200 }, (_, index) => record(`later ${index}`)));
      await ledger.read(2, 200);
      expect(texts(before)).toEqual(['first', 'second']);
    });

    it('refuses a call without values and a value without bytes', async () => {
      const ledger = await open();
      await expect(ledger.append([])).rejects.toThrow(RangeError);
      await expect(ledger.append([record('a'), Buffer.alloc(0)])).rejects.toThrow(RangeError);
      expect(ledger.endOffset()).toBe(0);
    });

    it('reads from the middle, at most so many, and nothing past the end', async () => {
      const ledger = await open();
      await ledger.append(['a', 'b', 'c', 'd', 'e'].map(record));
      expect(texts(await ledger.read(1, 2))).toEqual(['b', 'c']);
      expect(texts(await ledger.read(3, 100))).toEqual(['d', 'e']);
      expect(await ledger.read(5, 100)).toEqual([]);
      expect(await ledger.read(99, 100)).toEqual([]);
    });

    it('tails from the middle, in batches no larger than asked', async () => {
      const ledger = await open();
      await ledger.append(Array.from({ length: 40 }, (_, index) => record(`r${index}`)));
      const rows = await take(ledger, 13, 27);
      expect(offsets(rows)).toEqual(Array.from({ length: 27 }, (_, index) => index + 13));
    });

    it('waits at the end and wakes for what is appended then', async () => {
      const ledger = await open();
      await ledger.append([record('a')]);
      const tailed = take(ledger, 0, 4);
      await ledger.append([record('b')]);
      await new Promise((resolve) => setTimeout(resolve, 30));
      await ledger.append([record('c'), record('d')]);
      expect(texts(await tailed)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('lets a tail wait for an offset that is still to come', async () => {
      const ledger = await open();
      const tailed = take(ledger, 2, 1);
      await ledger.append([record('a'), record('b')]);
      await ledger.append([record('c')]);
      expect(texts(await tailed)).toEqual(['c']);
    });

    it('feeds several tails at once', async () => {
      const ledger = await open();
      const tails = [0, 0, 5].map((from) => take(ledger, from, 20 - from));
      for (let index = 0; index < 20; index++) await ledger.append([record(`r${index}`)]);
      const [first, second, third] = await Promise.all(tails);
      expect(offsets(first ?? [])).toEqual(Array.from({ length: 20 }, (_, index) => index));
      expect(offsets(second ?? [])).toEqual(offsets(first ?? []));
      expect(offsets(third ?? [])).toEqual(Array.from({ length: 15 }, (_, index) => index + 5));
    });

    it('ends a tail when its signal aborts, also while it waits', async () => {
      const ledger = await open();
      const controller = new AbortController();
      const ended = (async () => {
        for await (const rows of ledger.tail(0, { maxRecords: 5, signal: controller.signal })) expect(rows).toEqual([]);
        return 'ended';
      })();
      await new Promise((resolve) => setTimeout(resolve, 5));
      controller.abort();
      expect(await ended).toBe('ended');
    });

    it('writes what waits when it is closed, ends tails and then refuses', async () => {
      const ledger = await open();
      const tailed = (async () => {
        const seen: string[] = [];
        const signal = new AbortController().signal;
        for await (const rows of ledger.tail(0, { maxRecords: 5, signal })) seen.push(...texts(rows));
        return seen;
      })();
      await ledger.append([record('a')]);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const waiting = ledger.append([record('b')]);
      await ledger.close();
      expect(await waiting).toBe(1);
      expect((await tailed)[0]).toBe('a');
      await expect(ledger.append([record('c')])).rejects.toMatchObject({ code: 'SLUICE_LEDGER_CLOSED' });
      await expect(ledger.append([record('c')])).rejects.toThrow(LedgerUnavailableError);
    });

    it('keeps everything when it is closed and opened again', async () => {
      const first = await open();
      await first.append(['a', 'b'].map(record));
      await first.close();
      const second = await open();
      expect(second.endOffset()).toBe(2);
      expect(await second.append([record('c')])).toBe(2);
      expect(texts(await second.read(0, 10))).toEqual(['a', 'b', 'c']);
    });

    it('refuses what is beyond its queue, whole, and goes on afterwards', async () => {
      const ledger = await open({ maxQueuedRecords: 10 });
      const accepted = ledger.append(Array.from({ length: 8 }, (_, index) => record(`r${index}`)));
      const refused = ledger.append(['x', 'y', 'z'].map(record));
      await expect(refused).rejects.toMatchObject({ code: 'SLUICE_LEDGER_BUSY' });
      expect(await accepted).toBe(0);
      expect(await ledger.append([record('after')])).toBe(8);
      expect(texts(await ledger.read(7, 10))).toEqual(['r7', 'after']);
    });

    it('shows a second reader the same records, and wakes its tail', async () => {
      const ledger = await open();
      await ledger.append([record('a')]);
      const reader = await harness.openReader?.();
      if (reader === undefined) return;
      opened.push(reader);
      expect(texts(await reader.read(0, 10))).toEqual(['a']);
      const tailed = take(reader, 0, 3);
      await ledger.append([record('b')]);
      expect(reader.endOffset()).toBe(2);
      await ledger.append([record('c')]);
      expect(texts(await tailed)).toEqual(['a', 'b', 'c']);
      await expect(reader.append([record('d')])).rejects.toThrow(LedgerUnavailableError);
    });
  });
}
