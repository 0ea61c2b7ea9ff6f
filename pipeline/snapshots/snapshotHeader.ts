import { createHash } from 'node:crypto';
import { STATE_LAYOUT } from '../../operators/savedState.ts';
import type { Engine } from '../engine/engine.ts';
import { SnapshotError, type DecisionStore, type Ledger, type SnapshotHeader } from '../ports.ts';

/** Of an engine that has taken at least one record. */
export async function snapshotHeader(engine: Engine, ledger: Pick<Ledger, 'read'>): Promise<SnapshotHeader> {
  const { nextOffset, lastPaymentOffset, configuration, modelSha256, posture } = engine;
  const timeMs = engine.features?.timeMs ?? 0;
  return {
    layout: STATE_LAYOUT,
    offset: nextOffset,
    lastPaymentOffset,
    firstRecordSha256: await recordSha256(ledger, 0),
    lastRecordSha256: await recordSha256(ledger, nextOffset - 1),
    ruleSet: configuration?.definition.ruleSetVersion ?? null,
    configurationSha256: configuration?.sha256 ?? null,
    catalogueSha256: configuration?.catalogue.sha256 ?? null,
    modelSha256,
    riskLevel: posture.riskLevel(timeMs),
    degradation: posture.degradation(timeMs),
  };
}

export interface FittingStores {
  readonly ledger: Pick<Ledger, 'read' | 'endOffset'>;
  readonly decisions: Pick<DecisionStore, 'lastOffset'>;
}

/** Throws SnapshotError unless an engine of this Sluice may go on from the snapshot on this ledger. */
export async function checkFits(header: SnapshotHeader, { ledger, decisions }: FittingStores): Promise<void> {
  const { layout, offset, lastPaymentOffset } = header;
  if (layout !== STATE_LAYOUT)
    throw new SnapshotError(
      'SLUICE_SNAPSHOT_VERSION',
      `its state has layout ${layout}, and this Sluice reads layout ${STATE_LAYOUT}`,
    );
  const endOffset = ledger.endOffset();
  if (offset > endOffset) throw foreign(`it is ahead of the ledger, which ends at offset ${endOffset}`);
  const isFirst = (await recordSha256(ledger, 0)) === header.firstRecordSha256;
  if (!isFirst || (await recordSha256(ledger, offset - 1)) !== header.lastRecordSha256)
    throw foreign('it is of another ledger');
  // They would never be decided.
  if (lastPaymentOffset > decisions.lastOffset())
    throw foreign(`it holds payments up to offset ${lastPaymentOffset}, of which not all decisions are stored`);
}

async function recordSha256(ledger: Pick<Ledger, 'read'>, offset: number): Promise<string> {
  const [row] = await ledger.read(offset, 1);
  if (row === undefined) throw foreign(`the ledger has no record ${offset}`);
  return createHash('sha256').update(row.value).digest('hex');
}

function foreign(what: string): SnapshotError {
  return new SnapshotError('SLUICE_SNAPSHOT_FOREIGN', what);
}
