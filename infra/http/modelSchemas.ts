import { z } from 'zod';

const reason = z.string().max(256).default('').describe('Why.');
const timeMs = z.int().describe('Epoch milliseconds, UTC.');

/** Bodies of requests. */
export const newModel = z.strictObject({
  metadata: z.string().min(2).max(4_194_304).describe('The text of model.json.'),
  onnx: z
    .string()
    .min(4)
    .max(16_777_216)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'expected base64')
    .describe('model.onnx, base64.'),
  reason,
});

export const modelPromotion = z.strictObject({
  percent: z.int().min(0).max(100).describe('Share of accounts whose verdicts it scores; 100: the champion.'),
  reason,
});

export const modelRollback = z.strictObject({ reason });
export const modelAnswer = z.strictObject({ reason });

const modelSummary = z
  .strictObject({
    id: z.string(),
    version: z.string(),
    sha256: z.string().describe('Of model.onnx.'),
    role: z.enum(['champion', 'challenger', 'none']),
    percent: z.int().describe('Accounts whose verdicts it scores.'),
    author: z.string(),
    sinceMs: timeMs,
  })
  .describe('A model package and what it does.');

const change = z.strictObject({
  ledgerOffset: z.int().describe('Of a proposal: what it is called by.'),
  timeMs,
  action: z.enum(['promote', 'rollback', 'withdraw']),
  step: z
    .enum(['apply', 'propose', 'approve', 'reject'])
    .describe('apply, approve: in force from its offset on. propose, reject: nothing changed by it.'),
  id: z.string().nullable().describe('Null: no model scores.'),
  version: z.string(),
  percent: z.int(),
  author: z.string(),
  reason: z.string(),
});

/** Replies. */
export const MODEL_REPLIES = {
  Models: z.strictObject({ models: z.array(modelSummary) }).describe('All packages that are known.'),
  ModelDescription: modelSummary
    .extend({
      metadata: z.string().describe('model.json as registered.'),
      reasonsBy: z.string().nullable().describe('treeShap, or occlusion and why; null where the file is missing.'),
    })
    .describe('One package.'),
  ModelChanges: z.strictObject({ changes: z.array(change) }).describe('The newest first.'),
  ModelProposals: z.strictObject({ proposals: z.array(change) }).describe('What waits for a second person.'),
  Explanation: z
    .strictObject({
      transactionId: z.string(),
      ledgerOffset: z.int(),
      verdict: z.enum(['approve', 'challenge', 'review', 'decline']),
      model: z.strictObject({ id: z.string(), version: z.string(), sha256: z.string() }),
      probability: z.number(),
      score: z.int().describe('0 to 1000, of the model alone.'),
      method: z.enum(['treeShap', 'occlusion']),
      why: z.string().nullable().describe('Why by occlusion.'),
      mean: z.number().nullable().describe("The margin's mean over the training data; with treeShap."),
      margin: z.number().nullable().describe('Mean and contributions added up; with treeShap.'),
      features: z
        .array(
          z.strictObject({
            feature: z.string(),
            value: z.number().nullable().describe('Null: undefined.'),
            usual: z.number().nullable().describe('The training median.'),
            contribution: z.number(),
            text: z.strictObject({ en: z.string(), zh: z.string() }),
          }),
        )
        .describe('That contributed, the greatest first, whatever their sign.'),
    })
    .describe('Why a payment has its score.'),
  ModelChanged: z
    .strictObject({
      ledgerOffset: z.int().describe('From which it is in force; of a proposal, what it is called by.'),
      standing: z
        .enum(['inForce', 'proposed', 'rejected'])
        .describe('proposed: waits for a second person. rejected: a proposal ended, nothing changed.'),
      model: modelSummary,
    })
    .describe('The change and the package as it is now.'),
} as const;
