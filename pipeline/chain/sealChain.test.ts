import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MemoryDecisionStore } from '../testing/memoryDecisionStore.ts';
import { MemoryLedger } from '../testing/memoryLedger.ts';
import { decodeSeal } from './seal.ts';
import { resumeChain, SealChain, sealRows } from './sealChain.ts';

const records = ['first', 'second', 'third', 'fourth'].map((text) => Buffer.from(text));
const decisions = new Map([
  [1, Buffer.from('on the second')],
  [3, Buffer.from('on the fourth')],
]);
const rows = records.map((value, offset) => ({ offset, value }));

function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('the chain of seals', () => {
  it('is what anyone can compute with sha256sum', () => {
    const seals = sealRows(new SealChain(0), rows, decisions).map(({ ledgerOffset, value }) =>
      decodeSeal(ledgerOffset, value),
    );
    let before = '';
    for (const [offset, record] of records.entries()) {
      const decision = decisions.get(offset);
      const recordSha256 = sha256(record);
      const decisionSha256 = decision === undefined ? '' : sha256(decision);
      const chainSha256 = sha256(`${before} ${offset} ${recordSha256} ${decisionSha256}`);
      expect(seals[offset]).toEqual({ ledgerOffset: offset, recordSha256, decisionSha256, chainSha256 });
      before = chainSha256;
    }
  });

  it('is the same in any batches, and passes over what is sealed already', () => {
    const whole = sealRows(new SealChain(0), rows, decisions);
    const chain = new SealChain(0);
    const parts = [rows.slice(0, 1), rows.slice(0, 3), rows.slice(1)].flatMap((part) =>
      sealRows(chain, part, decisions),
    );
    expect(parts).toEqual(whole);
    expect(() => chain.add(9, Buffer.from('x'), undefined)).toThrow('the chain has a gap: expected offset 4, got 9');
  });

  it('goes on after a crash where it was, and seals what a snapshot has passed over', async () => {
    const whole = sealRows(new SealChain(0), rows, decisions);
    for (let stored = 0; stored <= rows.length; stored++) {
      const ledger = new MemoryLedger([...records]);
      const store = new MemoryDecisionStore(new Map(decisions));
      await store.beginChain(0);
      await store.put([], whole.slice(0, stored));
      const chain = await resumeChain(ledger, store, 3);
      await store.put([], sealRows(chain, rows, decisions));
      expect(await store.seals(0, 10)).toEqual(whole);
    }
  });

  it('begins behind the records of an older Sluice, and stays there', async () => {
    const ledger = new MemoryLedger([...records]);
    const store = new MemoryDecisionStore();
    expect((await resumeChain(ledger, store, 2)).nextOffset).toBe(4);
    await ledger.append([Buffer.from('fifth')]);
    const chain = await resumeChain(ledger, store, 0);
    expect(chain.nextOffset).toBe(4);
    expect(sealRows(chain, await ledger.read(0, 5), decisions).map(({ ledgerOffset }) => ledgerOffset)).toEqual([4]);
  });

  it('refuses a ledger that ends before its newest seal', async () => {
    const store = new MemoryDecisionStore();
    await store.beginChain(0);
    await store.put([], sealRows(new SealChain(0), rows, decisions));
    await expect(resumeChain(new MemoryLedger(records.slice(0, 2)), store, 0)).rejects.toThrow(
      /SLUICE_CHAIN_BROKEN: the newest seal, of offset 3, is of a record that the ledger, which ends at 2, lacks/,
    );
  });
});
