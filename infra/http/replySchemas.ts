import { z } from 'zod';
import { listEntitySchema } from '../../operators/configurationSchema.ts';
import { SNOOZE_ENTITIES } from '../../operators/lists/snoozes.ts';
import { RULE_REPLY_SCHEMAS } from './ruleReplySchemas.ts';
import { LOOK_BACK_REPLIES } from './lookBackSchemas.ts';
import { MODEL_REPLIES } from './modelSchemas.ts';

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
    contribution: z.number().optional().describe("What the feature adds to the model's margin, in log-odds."),
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

const listKind = z.enum(['block', 'allow', 'watch']);
const bytes = z.number().min(0);
const count = z.number().min(0);

const state = z
  .strictObject({
    catalogueSha256: z.string(),
    timeMs: z.int().describe("The engine's time: the greatest event time seen."),
    bytes: bytes.describe('Memory of the feature windows, in all.'),
    keys: z
      .array(
        z.strictObject({
          entity: z.string().describe('Entity, tuple joined by +, or field that only distinct counts.'),
          keys: count,
          rowBytes: bytes.describe('Aggregates.'),
          indexBytes: bytes.describe('What leads from a key to its row.'),
          keyBytes: bytes.describe('The keys themselves.'),
        }),
      )
      .describe('By entity.'),
    pairs: z
      .array(z.strictObject({ entity: z.string(), of: z.string(), pairs: count, bytes }))
      .describe('What distinct counts, and samples where it makes an estimate.'),
    candidates: z.strictObject({ count, bytes }).describe('Of min, max and label-dependent timeSince.'),
    events: z
      .strictObject({
        held: count.describe('Events that some window may still hold.'),
        inHead: count.describe('Those that a late event may still come before.'),
        bytes,
        storedBytes: bytes.describe('On disk.'),
        waitingBlocks: count.describe('Blocks in memory that the disk has not taken; they are written again.'),
      })
      .describe('The reservoir.'),
    backlog: z
      .strictObject({ events: count, bytes })
      .describe(
        'Events that are due to enter or leave a window and wait for it, once for each edge; no answer is off.',
      ),
    features: z
      .array(
        z.strictObject({
          feature: z.string(),
          entity: z.string().nullable().describe('Null for an expression.'),
          rowBytesPerKey: bytes.describe("Of each key's row."),
          bytes: bytes.describe('Over all keys, with pairs and candidates.'),
          isShared: z.boolean().describe('Other features read some of it too; it is divided among them.'),
        }),
      )
      .describe('By feature.'),
    hottest: z
      .array(
        z.strictObject({
          entity: z.string(),
          keys: z.array(z.strictObject({ key: z.array(z.string()), events: count })),
        }),
      )
      .describe('By entity, the keys with the most events held.'),
    estimatedDistincts: count.describe('Distinct counts of a key in a window that are estimates at present.'),
    counted: z
      .strictObject({
        lateBeyondBound: z.int(),
        unknownLabels: z.int(),
        unknownOutcomes: z.int(),
        unknownReversals: z.int(),
        failedExpressions: z.int(),
        refusedIds: z.int(),
        refusedKeys: z.int(),
        uncountedValues: z.int(),
        droppedCandidates: z.int(),
        droppedFacts: z.int(),
        forcedOut: z.int(),
        hurriedCrossings: z.int(),
      })
      .describe('How often a bound was passed since the start.'),
  })
  .describe('What the feature windows hold, and the memory they take.');

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
  ...MODEL_REPLIES,
  ...LOOK_BACK_REPLIES,
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
          kind: listKind,
          entity: listEntitySchema.describe('What of a payment it is about.'),
          hashed: z.literal('sha256').exactOptional().describe('What is entered is kept as its hash.'),
          entries: z.int(),
        }),
      ),
    })
    .describe('All lists.'),
  ListEntry: listEntry,
  ListHits: z
    .strictObject({
      hits: z.array(z.strictObject({ list: z.string(), kind: listKind, entity: listEntitySchema, entry: listEntry })),
    })
    .describe('The lists that a value is on.'),
  ListPage: z
    .strictObject({
      list: z.string(),
      entries: z.array(listEntry),
      next: z.string().nullable().describe('Give it as `after` for the next page; null: this is the last.'),
    })
    .describe('A page of entries.'),
  SnoozePage: z
    .strictObject({
      snoozes: z.array(
        z.strictObject({
          rule: z.string(),
          entity: z.enum(SNOOZE_ENTITIES),
          id: z.string().describe('Of the account, card and so on; of a card, its token.'),
          expiresAtMs: timeMs,
          author: z.string(),
          reason: z.string(),
          sinceMs: timeMs,
        }),
      ),
      next: z.string().nullable().describe('Give it as `after` for the next page; null: this is the last.'),
    })
    .describe('Rules that do not count for an account, card and so on.'),
  Posture: posture,
  State: state,
  PublicationState: z
    .strictObject({
      stage: z
        .enum(['none', 'backtesting', 'backfilling', 'publishing', 'published', 'proposed', 'rejected', 'failed'])
        .describe(
          'backtesting: what it gives the review team is found out. backfilling: the new catalogue’s state is being built. published: in force. proposed: waits for a second person.',
        ),
      version: z.string().nullable().describe('Of the rule set.'),
      ledgerOffset: z.int().nullable().describe('From which it is in force; of a proposal, what it is called by.'),
      doneRecords: z.int().describe('Ledger records that the new state has taken in.'),
      totalRecords: z.int().describe('Ledger records there are.'),
      heldMs: z.number().describe('The longest time for which it has held decisions up, in milliseconds.'),
      alertsPerDay: z
        .strictObject({ before: z.number(), after: z.number(), capacityPerDay: z.number() })
        .nullable()
        .describe('What the review team gets, by a backtest; null where none was needed, or there is no history yet.'),
      error: z.string().nullable().describe('Why it failed; nothing changed then.'),
    })
    .describe('How far the latest publication has come.'),
  ...RULE_REPLY_SCHEMAS,
  Status: z
    .strictObject({
      status: z.enum(['ok', 'ready']),
      riskLevel: posture.shape.riskLevel.optional().describe('Whose thresholds apply now.'),
      degradation: posture.shape.degradation.optional().describe('What is left out now.'),
      warning: z.string().optional().describe('What will go wrong before long unless somebody mends it.'),
    })
    .describe('It is.'),
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
