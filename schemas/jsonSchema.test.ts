import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jsonSchemaOf } from './jsonSchema.ts';
import { parseJson } from './parse.ts';
import { gatewayTransactions } from './testing/inputArbitrary.ts';

describe('the JSON Schema of a payment', () => {
  const schema = jsonSchemaOf('gatewayTransaction');

  it('carries documentation, bounds, symbols and what may be null', () => {
    expect(schema).toMatchObject({
      title: 'GatewayTransaction',
      type: 'object',
      additionalProperties: false,
      required: ['transactionId', 'eventTimeMs', 'type', 'channel', 'amountMinor', 'currency'],
      properties: {
        transactionId: { type: 'string', minLength: 1, maxLength: 64, description: expect.stringContaining('Retries') },
        amountMinor: { type: 'integer', format: 'int64', minimum: 0, maximum: 1_000_000_000_000 },
        currency: { type: 'string', pattern: '^[A-Z]{3}$' },
        type: { type: 'string', enum: expect.arrayContaining(['purchase', 'reversal']) },
        account: { type: ['string', 'null'], default: null },
        card: {
          type: ['object', 'null'],
          properties: { pan: { type: ['string', 'null'], pattern: '^[0-9]{12,19}$', writeOnly: true } },
        },
        authMethods: { type: ['array', 'null'], maxItems: 8, items: { type: 'string', maxLength: 32 }, default: [] },
        attributes: {
          maxProperties: 32,
          propertyNames: { maxLength: 64 },
          additionalProperties: {
            anyOf: [{ type: 'string', maxLength: 256 }, { type: 'number' }, { type: 'boolean' }],
          },
        },
      },
    });
  });

  it('accepts what parsing accepts and refuses what it refuses', () => {
    const validator = z.fromJSONSchema(z.custom<Parameters<typeof z.fromJSONSchema>[0]>().parse(schema));
    const damaged = fc
      .tuple(gatewayTransactions, fc.constantFrom(...Object.keys(schema.properties ?? {}), 'extra'), fc.jsonValue())
      .map(([value, field, replacement]) => ({ ...value, [field]: replacement }));
    fc.assert(
      fc.property(fc.oneof(gatewayTransactions, damaged), (value) => {
        expect(validator.safeParse(value).success).toBe(parseJson('gatewayTransaction', value).ok);
      }),
    );
  });
});

it('every record has a JSON Schema, decisions with their reasons too', () => {
  expect(jsonSchemaOf('decision')).toMatchObject({
    properties: { reasons: { items: { type: 'object', properties: { text: { type: ['object', 'null'] } } } } },
  });
  expect(jsonSchemaOf('ledgerRecord')).toMatchObject({ properties: { payload: { type: 'string', format: 'byte' } } });
});
