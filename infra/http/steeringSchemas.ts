import { z } from 'zod';
import { HttpError } from './httpError.ts';

/** The bounds of schemas/list-change.avsc and schemas/posture.avsc. */
const timeMs = z.int().min(946_684_800_000).max(4_102_444_800_000);
const reason = z.string().max(256);

export const listEntryChange = z.strictObject({
  expiresAtMs: timeMs
    .nullable()
    .default(null)
    .describe('When the entry ends by itself. Epoch milliseconds, UTC; null: never.'),
  reason: reason.default('').describe('Why.'),
});

export const postureChange = z.strictObject({
  riskLevel: z.enum(['normal', 'elevated', 'lockdown']).describe('Which thresholds apply.'),
  degradation: z.enum(['full', 'noModel', 'rulesOnly']).default('full').describe('What is left out of decisions.'),
  expiresAtMs: timeMs
    .nullable()
    .default(null)
    .describe('When it returns to normal and full. Epoch milliseconds, UTC; null: when set again.'),
  reason: reason.default('').describe('Why.'),
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
