import { z } from 'zod';

/** The shapes of replies, for the OpenAPI document; tests hold real replies to them. */
const verdictName = z.enum(['approve', 'challenge', 'review', 'decline']);
const timeMs = z.int().describe('Epoch milliseconds, UTC.');

const reason = z
  .strictObject({
    code: z.string().describe('Stable reason code, e.g. VELOCITY_CARD, MODEL, BLOCK_LIST.'),
    rule: z.string().optional().describe('Rule id, for a reason by a rule.'),
    version: z.int().optional().describe('Rule version.'),
    list: z.string().optional().describe('List name, for a reason by a list.'),
    feature: z.string().optional().describe('Feature name, for a reason by the model.'),
    contribution: z.number().optional().describe("The feature's share of the score, in probability."),
    value: z.number().optional().describe("The feature's value."),
    text: z.strictObject({ en: z.string(), zh: z.string() }).optional().describe('In words.'),
  })
  .describe('One reason of a verdict.');

const verdict = z
  .strictObject({
    transactionId: z.string(),
    verdict: verdictName,
    score: z.int().min(0).max(1000),
    status: z.enum(['new', 'duplicate']).describe('duplicate: decided before, and this is that verdict.'),
    mode: z
      .enum(['full', 'noModel', 'rulesOnly', 'fallback'])
      .describe('Step of the degradation ladder: what was left out.'),
    degraded: z.array(z.string()).describe("What was left out or failed: model, a rule's id."),
    reasons: z.array(reason).describe('Most severe first.'),
    ruleSet: z.string().describe('Version of the rule set.'),
    model: z.strictObject({ id: z.string(), version: z.string() }).nullable(),
    ledgerOffset: z
      .int()
      .nullable()
      .describe('Null for a fallback verdict whose payment could not be written in time.'),
  })
  .describe('A verdict with its reasons.');

const refusal = z.strictObject({
  code: z.string().describe('Stable code, SLUICE_...'),
  field: z.string().nullable().describe('The field at fault.'),
  message: z.string().describe('What was wrong. Never repeats a value.'),
});

const posture = z
  .strictObject({
    riskLevel: z.enum(['normal', 'elevated', 'lockdown']),
    degradation: z.enum(['full', 'noModel', 'rulesOnly']),
    expiresAtMs: timeMs.nullable(),
    author: z.string(),
    reason: z.string(),
    sinceMs: timeMs.nullable(),
  })
  .describe('Risk level and degradation.');

const listEntry = z
  .strictObject({
    value: z.string().describe("The entity's id; of a card, its token."),
    expiresAtMs: timeMs.nullable(),
    author: z.string(),
    reason: z.string(),
    sinceMs: timeMs,
  })
  .describe('One entry of a list.');

const windowStatistics = z.strictObject({
  seconds: z.int(),
  decisionsPerSecond: z.number(),
  decisions: z.int(),
  verdicts: z.strictObject({ approve: z.int(), challenge: z.int(), review: z.int(), decline: z.int() }),
  latencyP50Ms: z.number().nullable(),
  latencyP99Ms: z.number().nullable(),
  latencyP999Ms: z.number().nullable(),
});

const liveDecision = z.looseObject({
  ledgerOffset: z.int(),
  transactionId: z.string(),
  eventTimeMs: timeMs,
  verdict: verdictName,
  score: z.int(),
  mode: z.string(),
  amountMinor: z.int(),
  currency: z.string(),
  merchant: z.string().nullable(),
  channel: z.string(),
  reasons: z.array(z.looseObject({ code: z.string() })),
});

export const REPLY_SCHEMAS = {
  Verdict: verdict,
  Error: z.strictObject({ error: refusal }).describe('Why a request was refused.'),
  BatchReply: z
    .strictObject({
      results: z
        .array(
          z.union([
            z.strictObject({ status: z.literal(200), verdict }),
            z.strictObject({ status: z.int(), error: refusal }),
          ]),
        )
        .describe("In the batch's order; each with the status it would have had alone."),
    })
    .describe('One result for each payment of a batch.'),
  Accepted: z
    .strictObject({ ledgerOffset: z.int().describe('Where it is in the ledger.') })
    .describe('It is durably in the ledger.'),
  Lists: z
    .strictObject({
      lists: z.array(
        z.strictObject({
          name: z.string(),
          kind: z.enum(['block', 'allow', 'watch']),
          entity: z.string(),
          entries: z.int(),
        }),
      ),
    })
    .describe('All lists.'),
  ListEntry: listEntry,
  ListPage: z
    .strictObject({
      list: z.string(),
      entries: z.array(listEntry),
      next: z.string().nullable().describe('Give it as `after` for the next page; null: this is the last.'),
    })
    .describe('A page of entries.'),
  Posture: posture,
  Status: z.strictObject({ status: z.enum(['ok', 'ready']) }).describe('All is well.'),
  LiveUpdate: z
    .looseObject({
      nowMs: timeMs,
      status: z.looseObject({ ready: z.boolean(), ledgerEndOffset: z.int(), engineLagRecords: z.int() }),
      total: z.int().describe('Decisions since the start.'),
      window: windowStatistics.describe('The last ten seconds.'),
      seconds: z.array(z.looseObject({ startMs: timeMs })).describe('Finished seconds since the last update.'),
      decisions: z.array(liveDecision).describe('A bounded sample of the newest decisions.'),
    })
    .describe('The data of a live event, as JSON.'),
} as const;
