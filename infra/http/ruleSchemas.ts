import { z } from 'zod';
import { ruleFileSchema } from '../../operators/configurationSchema.ts';
import { maxRules } from '../../operators/rules/ruleSet.ts';

/** The bound of schemas/rule-set-publication.avsc. */
const reason = z.string().max(256).default('').describe('Why.');
/** Publications that may give the review team more than it can work off. */
export const force = z
  .string()
  .trim()
  .min(1, 'say why')
  .max(256)
  .nullable()
  .default(null)
  .describe(
    'Why it is to be in force though by a backtest the review team could not work off its alerts (review.capacityPerDay), or though that cannot be told. Kept with the reason; null: it is refused then.',
  );
const ruleId = z.string().min(1).max(64);

export const ruleChanges = z.strictObject({
  rules: ruleFileSchema.shape.rules
    .max(maxRules)
    .default([])
    .describe('As in rules/*.yaml; in the place of those of the same ids.'),
  remove: z.array(ruleId).max(maxRules).default([]).describe('Ids.'),
  reason,
  force,
});

export const ruleSetting = z.strictObject({
  mode: z.enum(['live', 'shadow', 'off']).nullable().default(null).describe('Null: as it is.'),
  rollout: z.number().min(0).max(100).nullable().default(null).describe('Percent of accounts. Null: as it is.'),
  reason,
  force,
});

export const rollback = z.strictObject({
  version: z.string().max(64).nullable().default(null).describe('Null: the one before what is in force.'),
  reason,
  force,
});

export const answer = z.strictObject({ reason });
