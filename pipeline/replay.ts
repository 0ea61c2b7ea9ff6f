import type { ReservoirStorage } from '../operators/features/blockStore.ts';
import { codecs } from '../schemas/codec.ts';
import type { Decision } from '../schemas/types.ts';
import { Engine } from './engine/engine.ts';
import { PortEngineServices } from './engine/engineServices.ts';
import type { DecisionStore, Ledger, ModelStore } from './ports.ts';

/** A stored decision that the replay did not give again. */
export interface ReplayDifference {
  readonly ledgerOffset: number;
  readonly transactionId: string;
  /** missing: nothing is stored for it; extra: one is stored that the ledger does not give; otherwise the fields that differ. */
  readonly kind: 'missing' | 'extra' | 'different';
  readonly fields: readonly string[];
}

export interface ReplayReport {
  readonly records: number;
  readonly decisions: number;
  readonly equal: number;
  readonly different: number;
  /** Payments at the ledger's end that no run has decided yet: not a fault. */
  readonly undecided: number;
  /** The first differences, at most 20. */
  readonly differences: readonly ReplayDifference[];
  readonly seconds: number;
}

export interface ReplayServices {
  readonly ledger: Ledger;
  readonly decisions: DecisionStore;
  readonly models: ModelStore;
  /** Where each feature state keeps the events that it does not hold in memory; in memory all the same by default. */
  readonly openReservoir?: () => ReservoirStorage;
}

const READ_RECORDS = 1024;
const MAX_DIFFERENCES = 20;

/**
 * Runs the ledger from its start through a new engine and compares every decision with the stored one, byte for byte.
 * `onProgress` gets the records done, of how many.
 */
export async function verifyReplay(
  services: ReplayServices,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<ReplayReport> {
  const { ledger, decisions, models, openReservoir } = services;
  const startMs = performance.now();
  const total = ledger.endOffset();
  const lastDecided = decisions.lastOffset();
  const engine = new Engine(new PortEngineServices(ledger, decisions, models, openReservoir), {
    maxBatch: 64,
    decidedThrough: -1,
  });
  const differences: ReplayDifference[] = [];
  const counts = { decisions: 0, equal: 0, different: 0, undecided: 0 };
  while (engine.nextOffset < total) {
    const from = engine.nextOffset;
    const rows = await ledger.read(from, Math.min(READ_RECORDS, total - from));
    const stored = new Map(
      (await decisions.read(from, from + rows.length)).map((row) => [row.ledgerOffset, row.value]),
    );
    for (const { decision } of await engine.process(rows)) {
      counts.decisions++;
      const before = stored.get(decision.ledgerOffset);
      stored.delete(decision.ledgerOffset);
      if (before !== undefined && codecs.decision.encodeShared(decision).equals(before)) counts.equal++;
      else if (before === undefined && decision.ledgerOffset > lastDecided) counts.undecided++;
      else {
        counts.different++;
        if (differences.length < MAX_DIFFERENCES) differences.push(differenceOf(decision, before));
      }
    }
    for (const [ledgerOffset, value] of stored) {
      counts.different++;
      const { transactionId } = codecs.decision.decode(value);
      if (differences.length < MAX_DIFFERENCES) {
        differences.push({ ledgerOffset, transactionId, kind: 'extra', fields: [] });
      }
    }
    onProgress(engine.nextOffset, total);
  }
  await engine.closeModels();
  engine.close();
  return { records: total, ...counts, differences, seconds: (performance.now() - startMs) / 1000 };
}

function differenceOf(decision: Decision, before: Buffer | undefined): ReplayDifference {
  const { ledgerOffset, transactionId } = decision;
  if (before === undefined) return { ledgerOffset, transactionId, kind: 'missing', fields: [] };
  const stored = new Map(Object.entries(codecs.decision.decode(before)));
  const fields = Object.entries(decision)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(stored.get(name)))
    .map(([name]) => name);
  return { ledgerOffset, transactionId, kind: 'different', fields };
}
