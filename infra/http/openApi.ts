import { z } from 'zod';
import { jsonSchemaOf } from '../../schemas/jsonSchema.ts';
import { HTTP_REFUSALS, type HttpRefusalName } from './httpError.ts';
import type { HttpSettings } from './httpSettings.ts';
import type { Operation } from './operation.ts';
import { OPERATIONS } from './operations.ts';
import { REPLY_SCHEMAS } from './replySchemas.ts';
import { backtestRequest } from './lookBackSchemas.ts';
import { answer, rollback, ruleChanges, ruleSetting } from './ruleSchemas.ts';
import { modelPromotion, modelAnswer, modelRollback, newModel } from './modelSchemas.ts';
import {
  listChange,
  listCheck,
  listEntryChange,
  postureChange,
  publicationRequest,
  snooze,
  snoozeEnd,
} from './steeringSchemas.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: Operation['tag']; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonObject>>;
    readonly securitySchemes: Readonly<Record<string, JsonObject>>;
  };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly Operation['tag'][];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: {
    readonly description: string;
    readonly required: boolean;
    readonly content: Readonly<Record<string, JsonObject>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: JsonObject; readonly headers?: JsonObject }>
  >;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonObject;
}

const TAGS: OpenApiDocument['tags'] = [
  { name: 'Payments', description: 'Payments in, verdicts out.' },
  { name: 'Feedback', description: 'What became of a payment, and what it turned out to be.' },
  { name: 'Lists', description: 'Block, allow and watch lists.' },
  { name: 'Snoozes', description: 'Rules that do not count for one account, card and so on, until a time.' },
  { name: 'Posture', description: 'How strict to be, and what to leave out.' },
  { name: 'State', description: 'What the feature windows hold, and the memory they take.' },
  { name: 'Rules', description: 'The rules in force, and changes of them.' },
  { name: 'Publications', description: 'What decides: catalogue, rules, lists and policy as one.' },
  { name: 'Models', description: 'Which model scores, and which are tried beside it.' },
  { name: 'Backtests', description: 'What a change of the rules would have changed.' },
  { name: 'Decisions', description: 'What a decision came from.' },
  { name: 'Live', description: 'What the console shows.' },
  { name: 'Operation', description: 'Health, metrics, documents. No key needed.' },
];

const DESCRIPTION =
  'A payment gateway sends a transaction and gets one verdict with its reasons. Amounts are integers in minor units, ' +
  'times are epoch milliseconds, UTC. Every error has the body {"error":{"code","field","message"}}, and every reply ' +
  'an x-request-id. Retry on 429 and 503 after Retry-After seconds, with the same transaction id.';

/** The OpenAPI 3.1 document: operations from OPERATIONS, inputs from the Avro schemas, replies from REPLY_SCHEMAS. */
export function openApiDocument(version: string, settings: HttpSettings): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const operation of Object.values<Operation>(OPERATIONS)) {
    const path = (paths[operation.path] ??= {});
    path[operation.method.toLowerCase()] = describeOperation(operation, settings);
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Sluice', version, description: DESCRIPTION },
    tags: TAGS,
    paths,
    components: {
      schemas: componentSchemas(settings),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Authorization: Bearer sk_...' },
        header: {
          type: 'apiKey',
          in: 'header',
          name: 'X-API-Key',
          description: 'The same key in a header of its own.',
        },
      },
    },
  };
}

function componentSchemas(settings: HttpSettings): Record<string, JsonObject> {
  const schemas: Record<string, JsonObject> = {
    GatewayTransaction: { ...jsonSchemaOf('gatewayTransaction') },
    Outcome: withoutField({ ...jsonSchemaOf('outcome') }, 'transactionOffset'),
    Label: withoutField({ ...jsonSchemaOf('label') }, 'transactionOffset'),
    Batch: {
      type: 'object',
      description: 'Payments to decide on.',
      properties: {
        transactions: {
          type: 'array',
          items: reference('GatewayTransaction'),
          minItems: 1,
          maxItems: settings.maxBatch,
        },
      },
      required: ['transactions'],
    },
    ListEntryChange: { ...zodJsonSchema(listEntryChange), description: "A list entry's end and reason." },
    ListChange: { ...zodJsonSchema(listChange), description: 'Entries to put on a list or take off, all at once.' },
    ListCheck: { ...zodJsonSchema(listCheck), description: 'What is looked for on all lists.' },
    Snooze: { ...zodJsonSchema(snooze), description: 'A rule that is not to count for one account, card and so on.' },
    SnoozeEnd: { ...zodJsonSchema(snoozeEnd), description: 'A rule that is to count there again.' },
    NewModel: { ...zodJsonSchema(newModel), description: 'A model package.' },
    ModelPromotion: { ...zodJsonSchema(modelPromotion), description: 'What a package is to score from now on.' },
    ModelRollback: { ...zodJsonSchema(modelRollback), description: 'Why the last promotion is taken back.' },
    ModelAnswer: { ...zodJsonSchema(modelAnswer), description: 'Why a proposal is approved or rejected.' },
    Publication: { ...zodJsonSchema(publicationRequest), description: 'A configuration to be in force from now on.' },
    RuleChanges: { ...zodJsonSchema(ruleChanges), description: 'Rules to publish or test, and those to remove.' },
    BacktestRequest: { ...zodJsonSchema(backtestRequest), description: 'What is tried, and on which payments.' },
    RuleSetting: { ...zodJsonSchema(ruleSetting), description: 'How a rule counts from now on.' },
    Rollback: { ...zodJsonSchema(rollback), description: 'Which version is to be in force again.' },
    Answer: { ...zodJsonSchema(answer), description: 'Why a proposal is approved or rejected.' },
    PostureChange: { ...zodJsonSchema(postureChange), description: 'The posture from now on.' },
  };
  for (const [name, schema] of Object.entries(REPLY_SCHEMAS)) schemas[name] = zodJsonSchema(schema);
  return schemas;
}

function describeOperation(operation: Operation, settings: HttpSettings): OpenApiOperation {
  const { body } = operation;
  const parameters: OpenApiParameter[] = [
    ...[...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
      name,
      in: 'path' as const,
      required: true,
      schema: { type: 'string', minLength: 1, maxLength: 64 },
    })),
    ...(operation.query ?? []).map((parameter) => ({ ...parameter, in: 'query' as const, required: false })),
  ];
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    security: operation.permission === null ? [] : [{ bearer: [] }, { header: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            description: `At most ${settings[body.limit]} bytes.`,
            required: body.required,
            content: Object.fromEntries(
              body.contentTypes.map((contentType) => [
                contentType,
                contentType === 'application/json'
                  ? {
                      schema: reference(body.schema),
                      ...(body.example === undefined ? {} : { example: body.example }),
                    }
                  : { schema: { type: 'string', format: 'binary' } },
              ]),
            ),
          },
        }),
    responses: describeReplies(operation),
  };
}

function describeReplies(operation: Operation): OpenApiOperation['responses'] {
  const responses: Record<string, OpenApiOperation['responses'][string]> = {};
  for (const [status, reply] of Object.entries(operation.replies)) {
    const contentType = reply.contentType ?? 'application/json';
    const schema = reply.schema === undefined ? { type: 'string' } : reference(reply.schema);
    responses[status] = { description: reply.description, content: { [contentType]: { schema } } };
  }
  for (const name of refusalsOf(operation)) {
    const { status, code, message } = HTTP_REFUSALS[name];
    const before = responses[status]?.description;
    const description = `${code}: ${message}.`;
    responses[status] = {
      description: before === undefined ? description : `${before} ${description}`,
      content: { 'application/json': { schema: reference('Error') } },
    };
  }
  for (const status of ['429', '503']) {
    const response = responses[status];
    if (response === undefined || operation.id === 'readiness') continue;
    responses[status] = {
      ...response,
      headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } },
    };
  }
  return responses;
}

function refusalsOf(operation: Operation): readonly HttpRefusalName[] {
  return [
    ...(operation.permission === null ? [] : (['keyMissing', 'keyRole', 'closing'] as const)),
    ...(operation.body === undefined ? [] : (['bodyTooLarge', 'contentType'] as const)),
    ...(operation.refusals ?? []),
    ...(operation.body === undefined || operation.refusals?.includes('tooMany') === true ? [] : (['tooMany'] as const)),
  ];
}

function zodJsonSchema(schema: z.ZodType): JsonObject {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

function withoutField(schema: Readonly<Record<string, unknown>>, field: string): JsonObject {
  const { properties } = schema;
  if (typeof properties !== 'object' || properties === null) return schema;
  return { ...schema, properties: Object.fromEntries(Object.entries(properties).filter(([name]) => name !== field)) };
}

function reference(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}
