import type { Deployment } from '../infra/deployment/loadDeployment.ts';
import type { LedgerRow } from '../pipeline/ports.ts';
import { publicationRecord } from '../pipeline/publicationRecord.ts';
import { historicalSimulation } from '../pipeline/simulate/options.ts';
import { simulate, type SimulatedEvent } from '../pipeline/simulate/simulate.ts';
import { promotionRecord } from '../pipeline/promotionRecord.ts';
import { toTransaction } from '../pipeline/toTransaction.ts';
import { encodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import { parseJson } from '../schemas/parse.ts';

const START_MS = Date.UTC(2026, 5, 1);
const CARD_KEY = Buffer.alloc(32, 7);

/**
 * A ledger as an import of a historical simulation would write it: the deployment's rule set and model, then payments with
 * their labels and outcomes, until there are `payments` of them. The fewer customers, the more days they take. The same
 * arguments give the same bytes.
 */
export function simulatedLedger(deployment: Deployment, payments: number, customers = 4_000): LedgerRow[] {
  const rows: LedgerRow[] = [];
  const append = (event: LedgerEvent, timeMs: number): void => {
    rows.push({ offset: rows.length, value: encodeLedgerRecord(event, timeMs, 'bench') });
  };
  for (const event of deploymentEvents(deployment)) append(event, START_MS);
  const offsets = new Map<string, number>();
  for (const simulated of simulate(historicalSimulation({ seed: 1, startTimeMs: START_MS, customers }))) {
    const event = ledgerEvent(simulated, offsets);
    if (event.kind === 'transaction') {
      if (offsets.size === payments) return rows;
      offsets.set(event.event.transactionId, rows.length);
    }
    append(event, simulated.timeMs);
  }
  return rows;
}

function deploymentEvents({ configuration, model }: Deployment): LedgerEvent[] {
  const by = { eventTimeMs: START_MS, author: 'bench', reason: 'benchmark' };
  const events: LedgerEvent[] = [publicationRecord(configuration, by)];
  if (model === null) return events;
  return [...events, { kind: 'modelPromotion', event: promotionRecord(model.metadata, by) }];
}

function ledgerEvent(simulated: SimulatedEvent, offsets: ReadonlyMap<string, number>): LedgerEvent {
  if (simulated.kind === 'transaction') {
    const parsed = parseJson('gatewayTransaction', simulated.event);
    const converted = parsed.ok ? toTransaction(parsed.value, CARD_KEY) : parsed;
    if (!converted.ok) throw new Error(`the simulator made a payment that is refused: ${converted.message}`);
    return { kind: 'transaction', event: converted.transaction };
  }
  const transactionOffset = offsets.get(simulated.event.transactionId) ?? null;
  return simulated.kind === 'label'
    ? { kind: 'label', event: { ...simulated.event, transactionOffset } }
    : { kind: 'outcome', event: { ...simulated.event, transactionOffset } };
}
