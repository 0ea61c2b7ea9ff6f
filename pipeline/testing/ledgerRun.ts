import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { modelMetadataSchema, type ModelMetadata } from '../../models/modelPackage.ts';
import { compileConfiguration, type CompiledConfiguration } from '../../operators/configuration.ts';
import { MemoryStorage, type ReservoirStorage } from '../../operators/features/blockStore.ts';
import type { CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import type { FeatureState } from '../../operators/features/featureState.ts';
import type { ConfigurationDefinition, FeatureDefinition } from '../../operators/definitions.ts';
import { codecs } from '../../schemas/codec.ts';
import { encodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../../schemas/ledgerEvent.ts';
import { packageRoot } from '../../schemas/packageRoot.ts';
import type { ModelPromotion, PromotionAction, Transaction, TransactionType } from '../../schemas/types.ts';
import { publicationRecord } from '../publicationRecord.ts';
import { MemoryDecisionStore } from './memoryDecisionStore.ts';
import { MemoryLedger } from './memoryLedger.ts';
import { MemoryModelStore } from './memoryModelStore.ts';
import { Engine } from '../engine/engine.ts';
import { PortEngineServices } from '../engine/engineServices.ts';
import { OVERLOAD_AUTHOR } from '../engine/postureState.ts';
import { promotionRecord } from '../promotionRecord.ts';

const START_MS = 1_767_225_600_000;

const modelFolder = join(packageRoot, 'config/handbook/model');
const onnx = readFileSync(join(modelFolder, 'model.onnx'));
const metadata = modelMetadataSchema.parse(JSON.parse(readFileSync(join(modelFolder, 'model.json'), 'utf8')));

const windows: readonly FeatureDefinition[] = [
  { name: 'account_sum', aggregate: 'sum', of: 'amountMinor', entity: ['account'], windowMs: 5_000 },
  { name: 'account_std', aggregate: 'std', of: 'amountMinor', entity: ['account'], windowMs: 20_000, delayMs: 1_000 },
  { name: 'pair_max', aggregate: 'max', of: 'amountMinor', entity: ['account', 'merchant'], windowMs: 9_000 },
  { name: 'accounts', aggregate: 'distinct', of: 'account', entity: ['merchant'], windowMs: 9_000 },
  { name: 'fraud', aggregate: 'rate', entity: ['merchant'], windowMs: 20_000, where: "label == 'fraud'" },
  { name: 'declines', aggregate: 'count', entity: ['account'], windowMs: 20_000, where: "outcome == 'declined'" },
  { name: 'kept', aggregate: 'sum', of: 'amountMinor', entity: ['account'], windowMs: 20_000, where: '!reversed' },
  { name: 'net', aggregate: 'sum', of: 'netAmountMinor', entity: ['account'], windowMs: 20_000, delayMs: 1_000 },
  { name: 'since', aggregate: 'timeSince', entity: ['account'], windowMs: 20_000, includeCurrent: false },
];

/** As many features as the model takes. */
function features(factor: number): FeatureDefinition[] {
  const more = metadata.inputs.slice(windows.length).map((_, index): FeatureDefinition => {
    return { name: `more_${index}`, aggregate: 'expression', expression: `f.account_sum * ${index}.5 + ${factor}.0` };
  });
  return [...windows, ...more];
}

function configuration(
  ruleSetVersion: string,
  factor: number,
  limit: number,
  others: Partial<ConfigurationDefinition> = {},
): CompiledConfiguration {
  const thresholds = { challenge: 300, review: 700, decline: 930 };
  const definition: ConfigurationDefinition = {
    ruleSetVersion,
    latenessMs: 3_000,
    recentIds: 6,
    features: features(factor),
    rules: [
      {
        id: 'sum',
        version: 1,
        owner: 'test',
        when: `f.account_sum > ${limit}.0 || f.fraud > 0.4`,
        params: {},
        then: { verdict: 'challenge', score: 650, code: 'SUM' },
        text: { en: 'sum', zh: 'sum' },
        mode: 'live',
        rollout: 100,
        examples: [],
      },
    ],
    lists: [{ name: 'blocked', kind: 'block', entity: 'account', text: { en: 'Blocked', zh: '已拉黑' } }],
    policy: {
      thresholds: { normal: thresholds, elevated: { ...thresholds, challenge: 100 }, lockdown: thresholds },
      maxReasons: 5,
    },
    ...others,
  };
  const compiled = compileConfiguration(definition);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

const first = configuration('first', 1, 500);
const configurations = [
  first,
  configuration('other-rules', 1, 900),
  configuration('other-features', 2, 500),
  configuration('guarded', 1, 300, { approvals: 1, recentIds: 4 }),
];
const fitting: ModelMetadata = {
  ...metadata,
  inputs: [...first.catalogue.names],
  catalogueSha256: first.catalogue.sha256,
};

type Step = (timeMs: number, offset: number) => LedgerEvent;

const payment: fc.Arbitrary<Step> = fc
  .record({
    id: fc.nat(12),
    back: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5_000) }),
    amountMinor: fc.nat(600),
    account: fc.constantFrom(null, 'a', 'b', 'c'),
    merchant: fc.constantFrom(null, 'm', 'n'),
    type: fc.constantFrom<TransactionType>('purchase', 'purchase', 'refund', 'reversal'),
    original: fc.option(fc.nat(13)),
  })
  .map(({ id, back, amountMinor, account, merchant, type, original }) => (timeMs) => {
    const event: Transaction = {
      transactionId: `t-${id}`,
      eventTimeMs: timeMs - back,
      type,
      channel: 'card',
      amountMinor,
      currency: 'CNY',
      account,
      card: null,
      device: null,
      ip: null,
      merchant,
      mcc: null,
      terminal: null,
      payee: null,
      country: null,
      authMethods: [],
      originalTransactionId: original === null ? null : `t-${original}`,
      attributes: {},
    };
    return { kind: 'transaction', event };
  });

const label: fc.Arbitrary<Step> = fc
  .record({ back: fc.integer({ min: 1, max: 40 }), label: fc.constantFrom('fraud' as const, 'genuine' as const) })
  .map(({ back, label }) => (eventTimeMs, offset) => {
    const transactionOffset = Math.max(0, offset - back);
    const event = {
      transactionId: 't',
      transactionOffset,
      eventTimeMs,
      labelSource: 'other',
      fraudType: null,
    } as const;
    return { kind: 'label', event: { ...event, label } };
  });

const outcome: fc.Arbitrary<Step> = fc
  .record({
    back: fc.integer({ min: 1, max: 40 }),
    outcome: fc.constantFrom('authorised' as const, 'declined' as const),
  })
  .map(({ back, outcome }) => (eventTimeMs, offset) => {
    const transactionOffset = Math.max(0, offset - back);
    return {
      kind: 'outcome',
      event: { transactionId: 't', transactionOffset, eventTimeMs, outcome, responseCode: null },
    };
  });

const listChange: fc.Arbitrary<Step> = fc
  .record({
    list: fc.constantFrom('blocked', 'blocked', 'blocked', 'unknown'),
    value: fc.constantFrom('a', 'b', '名单'),
    action: fc.constantFrom('put' as const, 'put' as const, 'delete' as const),
    endsIn: fc.constantFrom(null, 1_000, 8_000),
    further: fc.array(fc.constantFrom('b', 'c', '203.0.113.0/24'), { maxLength: 2 }),
  })
  .map(({ endsIn, further, ...change }) => (eventTimeMs) => {
    const expiresAtMs = endsIn === null ? null : eventTimeMs + endsIn;
    const more = further.map((value, index) => ({
      value,
      expiresAtMs: index === 0 ? expiresAtMs : null,
      reason: value,
    }));
    const event = { ...change, eventTimeMs, expiresAtMs, author: 'x', reason: '', further: more };
    return { kind: 'listChange', event };
  });

const posture: fc.Arbitrary<Step> = fc
  .record({
    riskLevel: fc.constantFrom('normal' as const, 'elevated' as const),
    degradation: fc.constantFrom('full' as const, 'noModel' as const),
    endsIn: fc.constantFrom(null, 2_000),
    author: fc.constantFrom('operator', OVERLOAD_AUTHOR),
  })
  .map(({ endsIn, ...set }) => (eventTimeMs) => {
    const expiresAtMs = endsIn === null ? null : eventTimeMs + endsIn;
    return { kind: 'posture', event: { ...set, eventTimeMs, expiresAtMs, reason: '' } };
  });

const fallback: fc.Arbitrary<Step> = fc.nat(12).map((id) => (eventTimeMs, offset) => {
  const event = { transactionId: `t-${id}`, transactionOffset: offset - 1, eventTimeMs, deadlineMs: 100 };
  return { kind: 'fallback', event: { ...event, verdict: 'review' } };
});

const publication: fc.Arbitrary<Step> = fc
  .constantFrom(...configurations)
  .map((compiled) => (eventTimeMs) => publicationRecord(compiled, { eventTimeMs, author: 'test', reason: '' }));

/** Any change of models, also those that no desk would let in: of several packages on one file, none, shares and withdrawals. */
const promotion: fc.Arbitrary<Step> = fc
  .record({
    version: fc.constantFrom(null, '1', '2', '3'),
    action: fc.constantFrom('promote' as const, 'promote' as const, 'rollback' as const, 'withdraw' as const),
    percent: fc.constantFrom(0, 30, 70, 100, 100),
  })
  .map(({ version, action, percent }) => (eventTimeMs) => {
    const model = version === null ? null : { ...fitting, version };
    return { kind: 'modelPromotion', event: promotionOf(model, eventTimeMs, action, percent) };
  });

/** Any event that a ledger may hold, at a time and offset that are given. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: payment },
  { weight: 6, arbitrary: label },
  { weight: 6, arbitrary: outcome },
  { weight: 4, arbitrary: listChange },
  { weight: 2, arbitrary: posture },
  { weight: 2, arbitrary: fallback },
  { weight: 1, arbitrary: publication },
  { weight: 1, arbitrary: promotion },
  { weight: 2, arbitrary: fc.constant<Step>((eventTimeMs) => ({ kind: 'tick', event: { eventTimeMs } })) },
);

/** A proposal, what comes meanwhile, and a second look at it, which may be the author's own or that of a proposal long gone. */
const proposal: fc.Arbitrary<Step[]> = fc
  .record({
    compiled: fc.constantFrom(...configurations),
    base: fc.constantFrom('', '', ...configurations.map(({ sha256 }) => sha256)),
    meanwhile: fc.array(step, { maxLength: 4 }),
    answer: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const),
    answers: fc.integer({ min: 1, max: 2 }),
    checker: fc.constantFrom('maker', 'checker', 'checker'),
  })
  .map(({ compiled, base, meanwhile, answer, answers, checker }) => {
    const look =
      (back: number): Step =>
      (eventTimeMs, offset) =>
        publicationRecord(
          compiled,
          { eventTimeMs, author: checker, reason: '' },
          { step: answer, proposalOffset: offset - back },
        );
    return [
      (eventTimeMs) =>
        publicationRecord(compiled, { eventTimeMs, author: 'maker', reason: '' }, { step: 'propose', replaces: base }),
      ...meanwhile,
      ...Array.from({ length: answers }, (_, index) => look(meanwhile.length + 1 + index)),
    ];
  });

/** What happens, each so many milliseconds after the one before. */
export const ledgerSteps = fc
  .array(fc.oneof({ weight: 15, arbitrary: step.map((each) => [each]) }, { weight: 1, arbitrary: proposal }), {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  })
  .chain((steps) => {
    const flat = steps.flat();
    const laterMs = fc.array(fc.nat(2_000), { minLength: flat.length, maxLength: flat.length, size: 'max' });
    return laterMs.map((later) => flat.map((each, index): readonly [Step, number] => [each, later[index] ?? 0]));
  });
export type LedgerSteps = readonly (readonly [Step, number])[];

/** A ledger that a first engine has decided from its start. */
export class LedgerRun {
  readonly ledger = new MemoryLedger();
  scored = 0;
  repeated = 0;
  readonly decisions = new MemoryDecisionStore();
  readonly #models = new MemoryModelStore();
  readonly #expected = new Map<number, Buffer>();
  readonly #reference = this.engine(-1);

  static async over(steps: LedgerSteps): Promise<LedgerRun> {
    const run = new LedgerRun();
    await run.#models.put(metadata.sha256, onnx);
    let timeMs = START_MS;
    const events: LedgerEvent[] = [
      publicationRecord(first, { eventTimeMs: timeMs, author: 'test', reason: '' }),
      { kind: 'modelPromotion', event: promotionOf(fitting, timeMs) },
    ];
    for (const [step, laterMs] of steps) {
      timeMs += laterMs;
      events.push(step(timeMs, events.length));
    }
    await run.ledger.append(events.map((event) => encodeLedgerRecord(event, timeMs, 'test')));
    for (const row of await run.ledger.read(0, events.length)) {
      for (const { decision } of await run.#reference.process([row])) {
        const { ledgerOffset, transactionId, status, modelScore } = decision;
        const value = codecs.decision.encode(decision);
        if (modelScore !== null) run.scored += 1;
        if (status !== 'new') run.repeated += 1;
        run.#expected.set(ledgerOffset, value);
        await run.decisions.put([{ ledgerOffset, transactionId, isFirst: status === 'new', value }]);
      }
    }
    return run;
  }

  /** As EngineOptions has it; `openReservoir` as PortEngineServices has it. */
  engine(decidedThrough: number, openReservoir: () => ReservoirStorage = () => new MemoryStorage()): Engine {
    const services = new PortEngineServices(this.ledger, this.decisions, this.#models);
    // Blocks so small that some are sealed, and begun, within a run; so few crossings that some events wait.
    const createFeatures = (catalogue: CompiledCatalogue): FeatureState =>
      createFeatureState(catalogue, { chunkCapacity: 4, blockCapacity: 4, maxCrossingsPerStep: 2 }, openReservoir());
    return new Engine(Object.assign(services, { createFeatures }), { maxBatch: 4, decidedThrough });
  }

  /** Takes the engine on to the offset, and compares each decision it makes. */
  async process(engine: Engine, toOffset: number): Promise<void> {
    const rows = await this.ledger.read(engine.nextOffset, toOffset - engine.nextOffset);
    for (const { decision } of await engine.process(rows)) {
      const isEqual = this.#expected.get(decision.ledgerOffset)?.equals(codecs.decision.encode(decision)) === true;
      expect(isEqual, JSON.stringify(decision)).toBe(true);
    }
  }

  expectSameEnd(engine: Engine): void {
    const visible = (of: Engine): unknown => {
      const { nextOffset, refusedIds, features, lists, posture, configuration, scorer } = of;
      const { bytes: _, eventBytes: __, ...statistics } = features?.statistics() ?? { bytes: 0, eventBytes: 0 };
      const timeMs = features?.timeMs ?? 0;
      return {
        nextOffset,
        refusedIds,
        statistics,
        timeMs,
        fallbacks: Array.from({ length: 13 }, (_, id) => of.fallback(`t-${id}`)),
        lists: lists.names.map((name) => lists.page(name, null, 1_000)),
        refusals: lists.refusals,
        posture: [posture.at(timeMs), posture.overload],
        configuration: configuration?.sha256,
        publications: [of.publications.entries, of.publications.inForceOffset, of.publications.approvals],
        model: scorer?.metadata,
      };
    };
    expect(visible(engine)).toEqual(visible(this.#reference));
  }
}

function promotionOf(
  model: ModelMetadata | null,
  eventTimeMs: number,
  action: PromotionAction = 'promote',
  percent = 100,
): ModelPromotion {
  return promotionRecord(model, { eventTimeMs, author: 'test', reason: '', action, percent });
}
