import { z } from 'zod';
import type { CsvColumn, CsvConstant, CsvMapping } from '../../pipeline/csvMapping.ts';
import { CSV_TEXT_FIELDS } from '../../pipeline/csvMapping.ts';
import { duration } from './duration.ts';
import { explainIssue } from './explainIssue.ts';

const columnName = z.string().min(1).max(256);
const column = z.strictObject({ column: columnName });
const currencyCode = z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters such as EUR');

/** Which of the two forms was meant is told by the key, so that a mistake inside is reported as what it is. */
function columnOrConstant<T extends string>(constant: z.ZodType<T>): z.ZodType<CsvColumn | CsvConstant<T>> {
  const constantOnly = z.strictObject({ constant });
  return z.unknown().transform((value, context): CsvColumn | CsvConstant<T> => {
    const isGroup = typeof value === 'object' && value !== null;
    if (!isGroup || !('constant' in value || 'column' in value)) {
      context.addIssue(value === undefined ? 'is missing' : 'must be {column: NAME} or {constant: VALUE}');
      return z.NEVER;
    }
    const parsed =
      'constant' in value
        ? constantOnly.safeParse(value, { error: explainIssue })
        : column.safeParse(value, { error: explainIssue });
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path: [...path], message });
    return z.NEVER;
  });
}

const text = columnOrConstant(z.string().min(1).max(64)).optional();

/** mapping.yaml. */
export const mappingFileSchema: z.ZodType<CsvMapping> = z
  .strictObject({
    transaction: z.strictObject({
      transactionId: column,
      eventTimeMs: z.strictObject({
        column: columnName,
        format: z.enum(['dateTime', 'epochSeconds', 'epochMilliseconds']),
      }),
      amountMinor: z.strictObject({ column: columnName, decimals: z.int().min(0).max(4) }),
      type: columnOrConstant(z.enum(['purchase', 'withdrawal', 'transfer', 'topUp', 'refund', 'reversal', 'other'])),
      channel: columnOrConstant(z.enum(['card', 'wallet', 'bankTransfer', 'qr', 'other'])),
      currency: columnOrConstant(currencyCode),
      account: text,
      device: text,
      ip: text,
      merchant: text,
      mcc: text,
      terminal: text,
      payee: text,
      country: text,
      originalTransactionId: text,
    }),
    label: z
      .strictObject({
        column: columnName,
        fraudValues: z.array(z.string()).min(1).max(1_000),
        delay: duration({ atMost: '366d' }),
        source: z.enum(['chargeback', 'review', 'customerReport', 'issuerReport', 'simulation', 'other']),
        includeGenuine: z.boolean().default(false),
        fraudType: z
          .strictObject({ column: columnName, names: z.record(z.string(), z.string().min(1).max(64)) })
          .optional(),
      })
      .optional(),
  })
  .transform(({ transaction, label }): CsvMapping => {
    const { transactionId, eventTimeMs, amountMinor, type, channel, currency, ...rest } = transaction;
    const given = CSV_TEXT_FIELDS.flatMap((field) => {
      const source = rest[field];
      return source === undefined ? [] : [[field, source] as const];
    });
    return {
      transaction: {
        transactionId,
        eventTimeMs,
        amountMinor,
        type,
        channel,
        currency,
        texts: Object.fromEntries(given),
      },
      label:
        label === undefined
          ? null
          : {
              column: label.column,
              fraudValues: label.fraudValues,
              delayMs: label.delay,
              labelSource: label.source,
              includeGenuine: label.includeGenuine,
              fraudType: label.fraudType ?? null,
            },
    };
  });
