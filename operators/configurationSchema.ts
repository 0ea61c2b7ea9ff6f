import { z } from 'zod';
import type { ConfigurationDefinition, LetThroughDefinition, ListEntity } from './definitions.ts';
import { aggregateNames } from './features/aggregates.ts';

const localizedText = z.strictObject({ en: z.string(), zh: z.string() });
const entity = z.enum(['account', 'card', 'device', 'ip', 'merchant', 'terminal', 'payee']);
export const listEntitySchema: z.ZodType<ListEntity> = z.union(
  [entity, z.enum(['bin', 'country', 'mcc']), z.templateLiteral(['attributes.', z.string().min(1).max(64)])],
  'must be one of account, card, device, ip, merchant, terminal, payee, bin, country, mcc, attributes.NAME',
);

const feature = z.strictObject({
  name: z.string(),
  aggregate: z.enum(aggregateNames),
  entity: z.array(entity).exactOptional(),
  of: z.string().exactOptional(),
  expression: z.string().exactOptional(),
  numerator: z.string().exactOptional(),
  denominator: z.string().exactOptional(),
  windowMs: z.number().exactOptional(),
  delayMs: z.number().exactOptional(),
  where: z.string().exactOptional(),
  includeCurrent: z.boolean().exactOptional(),
  whenEmpty: z.number().exactOptional(),
  text: localizedText.exactOptional(),
});

const example = z.strictObject({
  given: z.strictObject({
    tx: z.record(z.string(), z.unknown()).exactOptional(),
    f: z.record(z.string(), z.number()).exactOptional(),
    m: z.strictObject({ score: z.number() }).exactOptional(),
    lists: z.record(z.string(), z.array(z.string())).exactOptional(),
  }),
  expect: z.enum(['fires', 'silent']),
});

/** As a publication holds it. */
export const ruleSchema = z.strictObject({
  id: z.string(),
  version: z.number(),
  owner: z.string(),
  when: z.string(),
  params: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.array(z.string())])),
  then: z.strictObject({
    verdict: z.enum(['approve', 'challenge', 'review', 'decline']),
    score: z.number(),
    code: z.string(),
  }),
  text: localizedText,
  group: z.string().exactOptional(),
  mode: z.enum(['live', 'shadow', 'off']),
  rollout: z.number(),
  examples: z.array(example),
});

const list = z.strictObject({
  name: z.string(),
  kind: z.enum(['block', 'allow', 'watch']),
  entity: listEntitySchema,
  hashed: z.literal('sha256').exactOptional(),
  text: localizedText,
});

const ruleGroup = z.strictObject({ id: z.string(), weight: z.number(), cap: z.number(), text: localizedText });

/** As it stands in sluice.yaml: weight 100 and cap 1000 may be left out. */
export const ruleGroupFileSchema = ruleGroup.extend({
  weight: ruleGroup.shape.weight.default(100),
  cap: ruleGroup.shape.cap.default(1000),
});

const thresholds = z.strictObject({ challenge: z.number(), review: z.number(), decline: z.number() });

export const letThroughSchema: z.ZodType<LetThroughDefinition> = z.strictObject({
  percent: z.number(),
  maxAmountMinor: z.record(z.string(), z.number()),
  salt: z.string(),
});

/** The shape of ConfigurationDefinition; what its values may be is checked by compileConfiguration. */
export const configurationSchema: z.ZodType<ConfigurationDefinition> = z.strictObject({
  ruleSetVersion: z.string(),
  latenessMs: z.number(),
  recentIds: z.number(),
  approvals: z.literal([0, 1]).exactOptional(),
  features: z.array(feature),
  rules: z.array(ruleSchema),
  lists: z.array(list),
  policy: z.strictObject({
    thresholds: z.strictObject({ normal: thresholds, elevated: thresholds, lockdown: thresholds }),
    maxReasons: z.number(),
    ruleGroups: z.array(ruleGroup).exactOptional(),
    letThrough: letThroughSchema.exactOptional(),
  }),
});

/** As it stands in a rules file, with the parts that may be left out: params {}, mode live, rollout 100, examples [], in a group the verdict. */
export const ruleFileSchema = z.strictObject({
  rules: z.array(
    ruleSchema.extend({
      params: ruleSchema.shape.params.default({}),
      then: ruleSchema.shape.then.extend({ verdict: ruleSchema.shape.then.shape.verdict.default('approve') }),
      mode: ruleSchema.shape.mode.default('live'),
      rollout: ruleSchema.shape.rollout.default(100),
      examples: ruleSchema.shape.examples.default([]),
    }),
  ),
});
