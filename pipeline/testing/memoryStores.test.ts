import { describeDecisionStore } from './decisionStoreConformance.ts';
import { describeLedger } from './ledgerConformance.ts';
import { MemoryDecisionStore } from './memoryDecisionStore.ts';
import { MemoryLedger } from './memoryLedger.ts';
import { MemoryModelStore } from './memoryModelStore.ts';
import { MemorySnapshotStore } from './memorySnapshotStore.ts';
import { describeModelStore } from './modelStoreConformance.ts';
import { describeSnapshotStore, KEPT_SNAPSHOTS } from './snapshotStoreConformance.ts';

describeLedger('MemoryLedger', () => {
  const records: Buffer[] = [];
  return Promise.resolve({
    open: (options) => Promise.resolve(new MemoryLedger(records, options?.maxQueuedRecords)),
    dispose: () => Promise.resolve(),
  });
});

describeDecisionStore('MemoryDecisionStore', () => {
  const values = new Map<number, Buffer>();
  const firstOffsets = new Map<string, number>();
  const chain = { begin: null, seals: new Map<number, Buffer>() };
  return Promise.resolve({
    open: () => Promise.resolve(new MemoryDecisionStore(values, firstOffsets, chain)),
    close: () => Promise.resolve(),
    dispose: () => Promise.resolve(),
  });
});

describeModelStore('MemoryModelStore', (test) => test(new MemoryModelStore()));

describeSnapshotStore('MemorySnapshotStore', (test) => test(new MemorySnapshotStore(KEPT_SNAPSHOTS)));
