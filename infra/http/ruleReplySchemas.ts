import { z } from 'zod';
import { configurationSchema, ruleSchema } from '../../operators/configurationSchema.ts';

const timeMs = z.int().describe('Epoch milliseconds, UTC.');
const standing = z.strictObject({ version: z.int(), mode: z.enum(['live', 'shadow', 'off']), rollout: z.number() });

const changes = z
  .array(
    z.strictObject({
      rule: z.string(),
      from: standing.nullable().describe('Null: it is new.'),
      to: standing.nullable().describe('Null: it is gone.'),
      fields: z.array(z.string()).describe('What differs.'),
    }),
  )
  .describe('Of what was in force then, rule by rule.');
const others = z.array(z.string()).describe('What else changes, in words.');
const diff = z.string().describe('Of the rules, unified.');

const publication = {
  ledgerOffset: z.int().describe('Where it is in the ledger; what a proposal is called by.'),
  step: z.enum(['publish', 'propose', 'approve', 'reject']),
  effect: z
    .enum([
      ...(['inForce', 'open', 'approved', 'rejected', 'stale', 'noted', 'baseGone'] as const),
      ...(['notApproved', 'ownProposal', 'noProposal', 'tooMany'] as const),
    ])
    .describe(
      'inForce: decided from its offset on. open, approved, rejected, stale: of a proposal. noted: a rejection. Others: no effect.',
    ),
  version: z.string().describe('Of the rule set.'),
  sha256: z.string(),
  replaces: z.string().describe('SHA-256 of what it was made from; empty where that is left open.'),
  proposalOffset: z.int().nullable().describe('Of the proposal that it answers.'),
  author: z.string(),
  reason: z.string(),
  timeMs,
  changes,
  others,
};
const summary = z.strictObject(publication).describe('A step of a configuration into force.');

export const RULE_REPLY_SCHEMAS = {
  RuleSet: z
    .strictObject({
      version: z.string(),
      sha256: z.string(),
      ledgerOffset: z.int().describe('From which it decides.'),
      author: z.string(),
      reason: z.string(),
      sinceMs: timeMs,
      approvals: z.int().describe('People, beside its author, who must agree to a change.'),
      nextVersion: z.string().describe('That the next change gets.'),
      versions: z.array(z.string()).describe('In use before.'),
      rules: z.array(ruleSchema),
    })
    .describe('The rule set in force.'),
  RuleTest: z
    .strictObject({
      problems: z
        .array(z.strictObject({ code: z.string(), field: z.string().nullable(), message: z.string() }))
        .describe('With any of these it would be refused.'),
      changes,
      others,
      diff,
    })
    .describe('What a change would do.'),
  PublicationPage: z
    .strictObject({
      publications: z.array(summary),
      next: z.int().nullable().describe('Give it as `before` for the next page; null: this is the last.'),
    })
    .describe('A page of the history, newest first.'),
  PublicationDetails: z
    .strictObject({ ...publication, configuration: configurationSchema, diff })
    .describe('One publication or proposal, whole.'),
  Proposals: z.strictObject({ proposals: z.array(summary) }).describe('What waits for a second person.'),
} as const;
