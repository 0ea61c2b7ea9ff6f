import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeDecisionStore } from '../../pipeline/testing/decisionStoreConformance.ts';
import { describeLedger } from '../../pipeline/testing/ledgerConformance.ts';
import { describeModelStore } from '../../pipeline/testing/modelStoreConformance.ts';
import { openLmdb } from './openLmdb.ts';
import type { LmdbData } from './openLmdb.ts';

const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'sluice-lmdb-'));

describeLedger('LMDB', async () => {
  const folder = await temporaryFolder();
  const opened: LmdbData[] = [];
  const ledgerOf = (data: LmdbData): LmdbData['ledger'] => {
    opened.push(data);
    const ledger = data.ledger;
    return {
      append: (values) => ledger.append(values),
      endOffset: () => ledger.endOffset(),
      read: (fromOffset, maxRecords) => ledger.read(fromOffset, maxRecords),
      tail: (fromOffset, options) => ledger.tail(fromOffset, options),
      close: () => data.close(),
    };
  };
  return {
    open: (options) => Promise.resolve(ledgerOf(openLmdb(folder, { limits: options ?? {} }))),
    openReader: () => Promise.resolve(ledgerOf(openLmdb(folder, { readOnly: true }))),
    dispose: async () => {
      for (const data of opened) await data.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

describeDecisionStore('LMDB', async () => {
  const folder = await temporaryFolder();
  let data: LmdbData | undefined;
  const close = async (): Promise<void> => {
    await data?.close();
    data = undefined;
  };
  return {
    open: () => {
      data = openLmdb(folder);
      return Promise.resolve(data.decisions);
    },
    close,
    dispose: async () => {
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

describeModelStore('The data folder', async (test) => {
  const folder = await temporaryFolder();
  const data = openLmdb(folder);
  try {
    await test(data.models);
  } finally {
    await data.close();
    await rm(folder, { recursive: true, force: true });
  }
});
