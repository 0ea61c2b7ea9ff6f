import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bareTransaction } from '../../operators/cel/bareContext.ts';
import { compileConfiguration, type CompiledConfiguration } from '../../operators/configuration.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../../operators/definitions.ts';
import { codecs } from '../../schemas/codec.ts';
import { encodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../../schemas/ledgerEvent.ts';
import { publicationRecord } from '../publicationRecord.ts';
import { MemoryDecisionStore } from '../testing/memoryDecisionStore.ts';
import { MemoryLedger } from '../testing/memoryLedger.ts';
import { MemoryModelStore } from '../testing/memoryModelStore.ts';
import { Engine } from './engine.ts';
import { PortEngineServices } from './engineServices.ts';

const START_MS = 1_767_225_600_000;
/** Accounts x; y and w; x and y; y and z. */
const LET_THROUGH_SALTS = ['s3', 's9', 's15', 's35'];
const runs = Number(process.env['SLUICE_PROPERTY_RUNS'] ?? 60);

const rule = fc
  .record({
    id: fc.constantFrom('a', 'b', 'c'),
    limit: fc.integer({ min: 0, max: 400 }),
    verdict: fc.constantFrom('challenge' as const, 'review' as const, 'decline' as const),
    mode: fc.constantFrom('live' as const, 'live' as const, 'shadow' as const, 'off' as const),
    rollout: fc.constantFrom(0, 30, 70, 100),
    group: fc.constantFrom('g', undefined),
  })
  .map(({ id, limit, verdict, mode, rollout, group }): RuleDefinition => {
    const then = { verdict: group === undefined ? verdict : ('approve' as const), score: 600, code: 'R' };
    const when = `f.sum > p.limit`;
    const text = { en: id, zh: id };
    const grouped = group === undefined ? {} : { group };
    return { id, version: 1, owner: 'o', when, params: { limit }, then, text, ...grouped, mode, rollout, examples: [] };
  });

function compiled(rules: readonly RuleDefinition[], place: number): CompiledConfiguration {
  const level = { challenge: 600, review: 800, decline: 930 };
  const definition: ConfigurationDefinition = {
    ruleSetVersion: `v.${place}`,
    latenessMs: 0,
    recentIds: 100,
    features: [{ name: 'sum', aggregate: 'sum', of: 'amountMinor', entity: ['account'], windowMs: 60_000 }],
    rules,
    lists: [],
    policy: {
      thresholds: { normal: level, elevated: level, lockdown: level },
      maxReasons: 5,
      ruleGroups: [{ id: 'g', weight: 90 + 20 * place, cap: 950, text: { en: 'g', zh: 'g' } }],
      // Of four accounts, each salt chooses others, or none.
      letThrough: {
        percent: 10,
        maxAmountMinor: { CNY: 70 },
        salt: LET_THROUGH_SALTS[place % LET_THROUGH_SALTS.length] ?? '',
      },
    },
    // The last of a run asks for a second person: what comes after it is proposed and approved.
    ...(place > 1 ? { approvals: 1 as const } : {}),
  };
  const configuration = compileConfiguration(definition);
  if (!configuration.ok) throw new Error(JSON.stringify(configuration.problems));
  return configuration.value;
}

/** Decisions by offset over these records, taken in batches of these sizes. */
async function decide(events: readonly LedgerEvent[], batches: readonly number[]): Promise<Map<number, Buffer>> {
  const ledger = new MemoryLedger();
  await ledger.append(events.map((event) => encodeLedgerRecord(event, START_MS, 'test')));
  const services = new PortEngineServices(ledger, new MemoryDecisionStore(), new MemoryModelStore());
  const engine = new Engine(services, { maxBatch: 4, decidedThrough: -1 });
  const decisions = new Map<number, Buffer>();
  for (let turn = 0; engine.nextOffset < events.length; turn++) {
    const rows = await ledger.read(engine.nextOffset, batches[turn % batches.length] ?? 1);
    for (const { decision } of await engine.process(rows))
      decisions.set(decision.ledgerOffset, codecs.decision.encode(decision));
  }
  engine.close();
  return decisions;
}

describe('rule sets that are published at any offsets', () => {
  it('decide as runs that had each of them from the start, cut at those offsets, in whatever batches', async () => {
    let letThrough = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(rule, { selector: ({ id }) => id }), { minLength: 2, maxLength: 4 }),
        fc.array(fc.record({ account: fc.constantFrom('x', 'y', 'z', 'w'), amountMinor: fc.nat(100) }), {
          minLength: 5,
          maxLength: 40,
        }),
        fc.array(fc.nat(1_000), { minLength: 3, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 }),
        async (ruleSets, payments, places, batches) => {
          const configurations = ruleSets.map(compiled);
          // The ledger: the first at 0, each other at a random place; a proposal is two records, one place before.
          const cuts = configurations.slice(1).map((_, index) => (places[index] ?? 0) % payments.length);
          cuts.sort((a, b) => a - b);
          const events: LedgerEvent[] = [publication(configurations, 0, 'ann', {})];
          const inForceFrom = [0];
          for (const [index, payment] of payments.entries()) {
            for (const [place, cut] of cuts.entries()) {
              if (cut !== index) continue;
              const next = place + 1;
              if (place > 1) {
                const proposalOffset = events.length;
                events.push(publication(configurations, next, 'ann', { step: 'propose' }));
                events.push(publication(configurations, next, 'bob', { step: 'approve', proposalOffset }));
              } else events.push(publication(configurations, next, 'ann', {}));
              inForceFrom.push(events.length - 1);
            }
            const eventTimeMs = START_MS + index * 3_000;
            const event = { ...bareTransaction, ...payment, transactionId: `t-${index}`, eventTimeMs };
            events.push({ kind: 'transaction', event });
          }
          const mixed = await decide(events, batches);
          for (const value of mixed.values()) if (codecs.decision.decode(value).letThrough !== null) letThrough += 1;
          for (const [place] of configurations.entries()) {
            const alone = events.map((event, offset): LedgerEvent => {
              if (offset === 0) return publication(configurations, place, 'ann', {});
              // A tick that moves no time keeps the offsets as they are.
              return event.kind === 'ruleSetPublication' ? { kind: 'tick', event: { eventTimeMs: START_MS } } : event;
            });
            const decided = await decide(alone, [events.length]);
            const [from, to] = [inForceFrom[place] ?? 0, inForceFrom[place + 1] ?? events.length];
            for (let offset = from; offset < to; offset++)
              expect(mixed.get(offset)?.toString('hex')).toBe(decided.get(offset)?.toString('hex'));
          }
          expect(mixed.size).toBe(payments.length);
        },
      ),
      { numRuns: runs },
    );
    expect(letThrough).toBeGreaterThan(0);
  });
});

function publication(
  configurations: readonly CompiledConfiguration[],
  place: number,
  author: string,
  step: Parameters<typeof publicationRecord>[2],
): LedgerEvent {
  const configuration = configurations[place];
  if (configuration === undefined) throw new Error('no such configuration');
  return publicationRecord(configuration, { eventTimeMs: START_MS, author, reason: '' }, step);
}
