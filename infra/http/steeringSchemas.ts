import { z } from 'zod';
import { SNOOZE_ENTITIES } from '../../operators/lists/snoozes.ts';
import { MAX_CHANGED_ENTRIES } from '../../pipeline/listKeeping.ts';
import { HttpError } from './httpError.ts';
import { force } from './ruleSchemas.ts';

/** The bounds of schemas/list-change.avsc and schemas/posture.avsc. */
const timeMs = z.int().min(946_684_800_000).max(4_102_444_800_000);
export const MAX_REASON_LENGTH = 256;
/** What is hashed before it is kept may be longer than what is kept. */
export const MAX_VALUE_LENGTH = 256;
const reason = z.string().max(MAX_REASON_LENGTH);
const value = z.string().min(1).max(MAX_VALUE_LENGTH);
const requiredReason = z
  .string('is required: say why')
  .trim()
  .min(1, 'is required: say why')
  .max(MAX_REASON_LENGTH)
  .describe('Why.');
const expiresAtMs = timeMs.nullable().describe('When the entry ends by itself. Epoch milliseconds, UTC; null: never.');

export const listEntryChange = z.strictObject({ reason: requiredReason, expiresAtMs: expiresAtMs.default(null) });

export const listCheck = z.strictObject({
  value: value.describe('An account, a card number or token, an address, ...'),
});

export const listChange = z.strictObject({
  action: z.enum(['put', 'delete']).describe('Put on the list, or taken off.'),
  reason: requiredReason,
  expiresAtMs: expiresAtMs.default(null),
  entries: z
    .array(
      z.strictObject({
        value,
        expiresAtMs: expiresAtMs.optional(),
        reason: reason.min(1).optional().describe('Why, if not as for the others.'),
      }),
    )
    .min(1)
    .max(MAX_CHANGED_ENTRIES)
    .describe('What is put on or taken off; end and reason of its own go before those of the change.'),
});

export const snoozeEnd = z.strictObject({
  rule: z.string().min(1).max(64).describe("The rule's id."),
  entity: z.enum(SNOOZE_ENTITIES).describe('For what it does not count.'),
  id: value.describe('Of the account, card (its token or number) and so on.'),
  reason: requiredReason,
});

export const snooze = snoozeEnd.extend({
  expiresAtMs: timeMs.describe('When the rule counts again, within a year. Epoch milliseconds, UTC.'),
});

export const postureChange = z.strictObject({
  riskLevel: z.enum(['normal', 'elevated', 'lockdown']).describe('Which thresholds apply.'),
  degradation: z.enum(['full', 'noModel', 'rulesOnly']).default('full').describe('What is left out of decisions.'),
  expiresAtMs: timeMs
    .nullable()
    .default(null)
    .describe('When it returns to normal and full. Epoch milliseconds, UTC; null: when set again.'),
  reason: requiredReason,
});

export const publicationRequest = z.strictObject({
  content: z.string().min(2).max(8_388_608).describe('The configuration as JSON text.'),
  replaces: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
    .nullable()
    .default(null)
    .describe(
      'SHA-256 of the configuration that this one was made from. Refused when another is in force; null: never.',
    ),
  reason: reason.default('').describe('Why.'),
  force,
});

/** Parses a body that steers (lists, posture); its faults name the field and never repeat its value. */
export function parseSteering<T>(schema: z.ZodType<T>, body: unknown): T {
  let value: unknown = {};
  if (Buffer.isBuffer(body) && body.length > 0) {
    try {
      value = JSON.parse(body.toString('utf8'));
    } catch {
      throw new HttpError(400, {
        code: 'SLUICE_INPUT_MALFORMED',
        field: null,
        message: 'the body is not well-formed JSON',
      });
    }
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new HttpError(400, {
    code: 'SLUICE_INPUT_INVALID',
    field: issue === undefined || issue.path.length === 0 ? null : issue.path.join('.'),
    // zod's own words for an unknown key repeat the key.
    message:
      issue === undefined || issue.code === 'unrecognized_keys' ? 'has a field that is not known' : issue.message,
  });
}
