import { z } from 'zod';
import type { FeatureDefinition } from '../../operators/definitions.ts';
import { aggregateNames } from '../../operators/features/aggregates.ts';
import { duration } from './duration.ts';

const entity = z.enum(['account', 'card', 'device', 'ip', 'merchant', 'terminal', 'payee']);

/** One feature of features.yaml: durations as `10m`, `7d`, one entity without a list around it. */
export const featureEntrySchema: z.ZodType<FeatureDefinition> = z
  .strictObject({
    name: z.string(),
    aggregate: z.enum(aggregateNames),
    entity: z
      .preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(entity).min(1).max(3))
      .optional(),
    of: z.string().exactOptional(),
    expression: z.coerce.string().exactOptional(),
    numerator: z.string().exactOptional(),
    denominator: z.string().exactOptional(),
    window: duration().optional(),
    delay: duration().optional(),
    where: z.string().exactOptional(),
    includeCurrent: z.boolean().exactOptional(),
    whenEmpty: z.union([z.number(), z.nan()], { error: 'must be a number or .nan' }).exactOptional(),
    text: z.strictObject({ en: z.string().min(1), zh: z.string().min(1) }).exactOptional(),
  })
  .transform(({ entity: entities, window, delay, ...rest }) => ({
    ...rest,
    ...(entities === undefined ? {} : { entity: entities }),
    ...(window === undefined ? {} : { windowMs: window }),
    ...(delay === undefined ? {} : { delayMs: delay }),
  }));
