import type { CompiledConfiguration } from '../../../operators/configuration.ts';
import type { ListEntity } from '../../../operators/definitions.ts';
import { ListRange } from '../../../operators/lists/listRange.ts';
import { listSubject } from '../../../operators/lists/listSubject.ts';
import { SNOOZE_ENTITIES, SNOOZES, snoozeValue } from '../../../operators/lists/snoozes.ts';
import { OVERLOAD_AUTHOR } from '../../../pipeline/engine/postureState.ts';
import { historicalSimulation } from '../../../pipeline/simulate/options.ts';
import { Random } from '../../../pipeline/simulate/random.ts';
import { simulate } from '../../../pipeline/simulate/simulate.ts';
import { toTransaction } from '../../../pipeline/toTransaction.ts';
import type { LedgerEvent } from '../../../schemas/ledgerEvent.ts';
import { parseJson } from '../../../schemas/parse.ts';
import type { Transaction } from '../../../schemas/types.ts';
import type { DeploymentModel } from '../../deployment/loadModel.ts';
import { publicationOf } from './decidedLedger.ts';

const START_MS = Date.UTC(2026, 5, 1);
const CARD_KEY = Buffer.alloc(32, 7);

/**
 * A simulated ledger in which everything happens that bears on a verdict: publications of the configurations in turn, two
 * calibrations of the model, risk levels and overload, list entries of entities that pay, labels, odd names and attributes.
 */
export function eventfulLedger(
  configurations: readonly CompiledConfiguration[],
  { metadata }: DeploymentModel,
  { seed, payments }: { readonly seed: number; readonly payments: number },
): LedgerEvent[] {
  const random = new Random(seed, 'eventfulLedger');
  const events: LedgerEvent[] = [];
  const offsets = new Map<string, number>();
  const promotion = (calibration: typeof metadata.calibration, eventTimeMs: number): LedgerEvent => {
    const by = { eventTimeMs, author: 'test', reason: '' };
    const json = JSON.stringify({ ...metadata, calibration });
    const { id, version, sha256 } = metadata;
    return {
      kind: 'modelPromotion',
      event: {
        ...by,
        modelId: id,
        version,
        sha256,
        metadata: json,
        action: 'promote',
        step: 'apply',
        proposalOffset: null,
        percent: 100,
      },
    };
  };
  const [first] = configurations;
  if (first === undefined) throw new Error('a ledger begins with a configuration');
  events.push(publicationOf(first, START_MS), promotion(metadata.calibration, START_MS));
  const seen: Transaction[] = [];
  for (const simulated of simulate(historicalSimulation({ seed, startTimeMs: START_MS, customers: 150 }))) {
    const { timeMs } = simulated;
    if (simulated.kind !== 'transaction') {
      const transactionOffset = offsets.get(simulated.event.transactionId) ?? null;
      if (simulated.kind === 'label') events.push({ kind: 'label', event: { ...simulated.event, transactionOffset } });
      else events.push({ kind: 'outcome', event: { ...simulated.event, transactionOffset } });
      continue;
    }
    const parsed = parseJson('gatewayTransaction', simulated.event);
    const converted = parsed.ok ? toTransaction(parsed.value, CARD_KEY) : parsed;
    if (!converted.ok) throw new Error(converted.message);
    const transaction = oddly(converted.transaction, random);
    offsets.set(transaction.transactionId, events.length);
    seen.push(transaction);
    events.push({ kind: 'transaction', event: transaction });
    if (offsets.size === payments) return events;
    if (offsets.size % Math.ceil(payments / configurations.length) === 0) {
      const next = configurations[offsets.size / Math.ceil(payments / configurations.length)];
      if (next !== undefined) events.push(publicationOf(next, timeMs));
    }
    if (offsets.size === Math.floor(payments / 2)) {
      const [, ...rest] = metadata.calibration;
      events.push(promotion([[0, 0], [0.001, 300], ...rest.filter(([, points]) => points > 300)], timeMs));
    }
    if (random.chance(0.03)) events.push(listChange(seen, first, random, timeMs));
    if (random.chance(0.01)) events.push(posture(random, timeMs));
  }
  return events;
}

/** With names that are not ASCII, and attributes of every kind, here and there. */
function oddly(transaction: Transaction, random: Random): Transaction {
  const { account } = transaction;
  return {
    ...transaction,
    account: account !== null && random.chance(0.1) ? `账户😀é-${account}` : account,
    attributes: {
      ...transaction.attributes,
      ...(random.chance(0.3) ? { x: random.pick([1, 2.5, 'otp', true, -3]) } : {}),
      ...(random.chance(0.3) ? { y: random.pick([0, 'CN', false]) } : {}),
    },
  };
}

function listChange(
  seen: readonly Transaction[],
  { definition }: CompiledConfiguration,
  random: Random,
  eventTimeMs: number,
): LedgerEvent {
  const tx = random.pick(seen.slice(-60));
  if (random.chance(0.3)) return snooze(tx, definition, random, eventTimeMs);
  const { name, entity } = random.pick(definition.lists);
  const value = entryOf(listSubject(tx, entity) ?? tx.account ?? 'nobody', entity, random);
  const expiresAtMs = random.chance(0.5) ? eventTimeMs + Math.floor(random.next() * 86_400_000) : null;
  const action = random.chance(0.8) ? 'put' : 'delete';
  const by = { eventTimeMs, author: 'x', reason: '', further: [] };
  return { kind: 'listChange', event: { ...by, list: name, value, action, expiresAtMs } };
}

/** The value itself, or a range that it lies in. */
function entryOf(value: string, entity: ListEntity, random: Random): string {
  if (entity === 'ip' && random.chance(0.6)) {
    const range = new ListRange();
    const length = value.includes(':') ? random.integer(20, 127) : random.integer(8, 31);
    range.parseIp(`${value}/${String(length)}`);
    return range.text('ip');
  }
  if (entity === 'bin' && /^\d{5,8}$/.test(value) && random.chance(0.6)) return value.slice(0, 4);
  return value;
}

function snooze(
  tx: Transaction,
  { rules }: CompiledConfiguration['definition'],
  random: Random,
  eventTimeMs: number,
): LedgerEvent {
  const entity = random.pick(SNOOZE_ENTITIES);
  const rule = random.chance(0.5) ? `rule-${String(random.integer(0, 3))}` : random.pick(rules).id;
  const by = { eventTimeMs, author: 'x', reason: '', further: [], expiresAtMs: eventTimeMs + 43_200_000 };
  const value = snoozeValue(rule, entity, listSubject(tx, entity) ?? 'nobody');
  return { kind: 'listChange', event: { ...by, list: SNOOZES, value, action: 'put' } };
}

function posture(random: Random, eventTimeMs: number): LedgerEvent {
  return {
    kind: 'posture',
    event: {
      eventTimeMs,
      riskLevel: random.pick(['normal', 'elevated', 'lockdown'] as const),
      degradation: random.pick(['full', 'full', 'noModel', 'rulesOnly'] as const),
      expiresAtMs: random.chance(0.5) ? eventTimeMs + Math.floor(random.next() * 7_200_000) : null,
      author: random.pick(['operator', 'operator', OVERLOAD_AUTHOR]),
      reason: '',
    },
  };
}
