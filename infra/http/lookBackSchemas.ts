import { z } from 'zod';
import { MAX_BACKTEST_DAYS, MAX_BACKTEST_DECISIONS } from '../../pipeline/backtest/historyFacts.ts';
import { BACKTEST_VERDICTS } from '../../pipeline/backtest/verdictSql.ts';
import { ruleChanges } from './ruleSchemas.ts';
import { publicationRequest } from './steeringSchemas.ts';

/** The body of a request for a backtest. */
export const backtestRequest = z.strictObject({
  rules: ruleChanges.shape.rules,
  remove: ruleChanges.shape.remove,
  content: publicationRequest.shape.content
    .nullable()
    .default(null)
    .describe('Instead of rules and remove: a configuration as JSON text, as `POST /v1/publications` takes it.'),
  days: z
    .int()
    .min(1)
    .max(MAX_BACKTEST_DAYS)
    .nullable()
    .default(null)
    .describe('The last so many days of history; 30 by default.'),
  decisions: z
    .int()
    .min(1)
    .max(MAX_BACKTEST_DECISIONS)
    .nullable()
    .default(null)
    .describe('Instead of days: the newest so many payments.'),
});

const verdict = z.enum(BACKTEST_VERDICTS);
const labels = { fraud: z.int(), genuine: z.int(), unlabelled: z.int() };
const share = z.number().nullable();
const quality = z.strictObject({
  ...labels,
  precision: share.describe('Frauds among the labelled.'),
  precisionAtLeast: share.describe('Frauds among all.'),
  recall: share.describe('Of the labelled frauds.'),
});
const load = z.strictObject({
  alerts: z.int(),
  perDay: z.number(),
  busiestDay: z.string().nullable(),
  onBusiestDay: z.int(),
  daysOverCapacity: z.int().nullable(),
});
const outcome = z
  .strictObject({
    ...labels,
    version: z.int(),
    mode: z.enum(['live', 'shadow', 'off']),
    rollout: z.number(),
    hits: z.int(),
    failed: z.int(),
    unknown: z.int(),
  })
  .nullable();
const ruleSet = z.strictObject({ version: z.string(), sha256: z.string() });

const report = z.strictObject({
  before: ruleSet.describe('In force.'),
  after: ruleSet.describe('Asked about.'),
  span: z.strictObject({
    fromOffset: z.int(),
    toOffset: z.int(),
    payments: z.int(),
    firstTimeMs: z.int(),
    lastTimeMs: z.int(),
    days: z.number(),
  }),
  changed: z.int().describe('Payments with another verdict.'),
  unknown: z.int().describe('Payments of which a verdict cannot be told from history.'),
  labels: z.strictObject(labels),
  flows: z.array(
    z.strictObject({
      ...labels,
      before: verdict,
      after: verdict,
      payments: z.int(),
      amountMinor: z.record(z.string(), z.number()),
    }),
  ),
  quality: z.strictObject({
    before: quality,
    after: quality,
    newlyStopped: quality,
    newlyApproved: z.strictObject(labels),
  }),
  money: z
    .array(
      z.strictObject({
        currency: z.string(),
        fraudStopped: z.number(),
        fraudLetThrough: z.number(),
        genuineStopped: z.number(),
        genuineFreed: z.number(),
        unlabelledStopped: z.number(),
        unlabelledFreed: z.number(),
      }),
    )
    .describe('What the change moves, minor units.'),
  alerts: z.strictObject({
    verdicts: z.array(verdict),
    capacityPerDay: z.int().nullable(),
    before: load,
    after: load,
  }),
  rules: z.array(z.strictObject({ rule: z.string(), before: outcome, after: outcome })),
  examples: z.array(
    z.strictObject({
      ledgerOffset: z.int(),
      transactionId: z.string(),
      eventTimeMs: z.int(),
      amountMinor: z.number(),
      currency: z.string(),
      label: z.enum(['fraud', 'genuine', 'unlabelled']),
      before: verdict,
      after: verdict,
      becauseBefore: z.array(z.string()),
      becauseAfter: z.array(z.string()),
    }),
  ),
  check: z
    .strictObject({ payments: z.int(), equal: z.int() })
    .describe(
      'Payments decided by the rule set in force, and on how many of them this computation gives the recorded verdict.',
    ),
  notes: z.array(z.string()).describe('What history cannot tell.'),
});

const timeMs = z.int().describe('Epoch milliseconds, UTC.');
const text = z.looseObject({ en: z.string(), zh: z.string() });
const inForce = z.looseObject({
  ledgerOffset: z.int(),
  event: z.looseObject({ eventTimeMs: timeMs, version: z.string(), author: z.string(), reason: z.string() }),
});

export const LOOK_BACK_REPLIES = {
  Backtest: z
    .strictObject({
      stage: z
        .enum(['none', 'reading', 'deciding', 'done', 'failed', 'cancelled'])
        .describe(
          'reading: what was in force when. deciding: the payments of the span. none: nobody asked since the start.',
        ),
      startedMs: timeMs.nullable(),
      elapsedMs: z.number().nullable(),
      error: z.string().nullable().describe('Why it failed.'),
      report: report.nullable().describe('Once it is done.'),
    })
    .describe('How far the latest backtest is.'),
  Certificate: z
    .looseObject({
      transaction: z.looseObject({ transactionId: z.string() }).describe('As recorded; a card number is a token.'),
      ingestTimeMs: timeMs,
      source: z.string(),
      decision: z.looseObject({ ledgerOffset: z.int(), verdict: z.string() }).describe('As recorded.'),
      features: z.array(
        z.strictObject({
          name: z.string(),
          value: z.number().nullable().describe('Null: undefined.'),
          contribution: z.number().nullable(),
          text: text.nullable(),
        }),
      ),
      rulesFired: z.array(
        z.looseObject({
          rule: z.string(),
          isReason: z.boolean(),
          definition: z.looseObject({ when: z.string() }).nullable().describe('As it was written then.'),
        }),
      ),
      publication: inForce.nullable().describe('That put the rules into force.'),
      promotion: inForce.nullable().describe('That put the model into force.'),
      seal: z.looseObject({ isIntact: z.boolean() }).nullable().describe('Null: older than the chain of hashes.'),
    })
    .describe('Everything that a decision came from.'),
} as const;
