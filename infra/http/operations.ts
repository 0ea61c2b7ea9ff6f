import type { Permission } from './apiKeys.ts';
import type { HttpRefusalName } from './httpError.ts';

/**
 * Every route there is. The server takes method, path, permission, content types and body bound from here, and the
 * OpenAPI document is made of it: a route that is not documented cannot exist.
 */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As OpenAPI writes it: /v1/verdicts/{transactionId}. */
  readonly path: string;
  readonly tag: 'Payments' | 'Feedback' | 'Lists' | 'Posture' | 'Live' | 'Operation';
  /** Null: public. */
  readonly permission: Permission | null;
  readonly summary: string;
  readonly description?: string;
  readonly body?: OperationBody;
  readonly query?: readonly QueryParameter[];
  /** By status: what is answered and the schema of it, by its name among the document's components. */
  readonly replies: Readonly<Record<number, OperationReply>>;
  /** Further answers, beside those that every route with a key or a body can give. */
  readonly refusals?: readonly HttpRefusalName[];
}

export interface OperationBody {
  readonly schema: string;
  readonly required: boolean;
  readonly contentTypes: readonly BodyContentType[];
  readonly limit: 'maxBodyBytes' | 'maxBatchBytes';
}

export type BodyContentType = 'application/json' | 'avro/binary';

export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface OperationReply {
  readonly description: string;
  /** Absent: no JSON. */
  readonly schema?: string;
  readonly contentType?: string;
}

const EITHER = ['application/json', 'avro/binary'] as const;
const JSON_ONLY = ['application/json'] as const;
const REJECTED = { description: 'Rejected; a dead letter was written. The error names the field.', schema: 'Error' };
const INVALID = { description: 'Not accepted. The error names the field.', schema: 'Error' };
const UNAVAILABLE = { description: 'Cannot take it now; nothing was written. See Retry-After.', schema: 'Error' };
const ACCEPTED = { description: 'Durably in the ledger.', schema: 'Accepted' };
const NOT_FOUND = { description: 'Not known.', schema: 'Error' };
const AVRO_NOTE =
  'JSON, or Avro in single-object encoding (10-byte header with the schema fingerprint, then the binary datum).';

export const OPERATIONS = {
  submitTransaction: {
    id: 'submitTransaction',
    method: 'POST',
    path: '/v1/transactions',
    tag: 'Payments',
    permission: 'transactions',
    summary: 'Decide on a payment',
    description: `One payment in, one verdict back. ${AVRO_NOTE} The payment and its decision are durable before the reply. Sending the same payment again is safe: it gets the earlier verdict, with status "duplicate".`,
    body: { schema: 'GatewayTransaction', required: true, contentTypes: EITHER, limit: 'maxBodyBytes' },
    replies: {
      200: { description: 'The verdict, new or (of a retry) the earlier one.', schema: 'Verdict' },
      400: REJECTED,
      409: { description: 'This transaction id was used before for other content.', schema: 'Error' },
      503: UNAVAILABLE,
    },
    refusals: ['tooMany'],
  },
  submitBatch: {
    id: 'submitBatch',
    method: 'POST',
    path: '/v1/transactions:batch',
    tag: 'Payments',
    permission: 'transactions',
    summary: 'Decide on several payments',
    description:
      'Payments in, results back in the same order, each with the status it would have had alone. A fault in one payment does not touch the others; a fault in the envelope refuses the whole batch and writes one dead letter.',
    body: { schema: 'Batch', required: true, contentTypes: JSON_ONLY, limit: 'maxBatchBytes' },
    replies: { 200: { description: 'One result for each payment.', schema: 'BatchReply' }, 400: REJECTED },
    refusals: ['tooMany'],
  },
  findVerdict: {
    id: 'findVerdict',
    method: 'GET',
    path: '/v1/verdicts/{transactionId}',
    tag: 'Payments',
    permission: 'verdicts',
    summary: 'Look up the verdict on a payment',
    replies: { 200: { description: 'The first verdict on this payment.', schema: 'Verdict' }, 404: NOT_FOUND },
  },
  submitOutcome: {
    id: 'submitOutcome',
    method: 'POST',
    path: '/v1/outcomes',
    tag: 'Feedback',
    permission: 'outcomes',
    summary: 'Say what became of a payment',
    description: `What the gateway or the issuer did after the verdict. ${AVRO_NOTE}`,
    body: { schema: 'Outcome', required: true, contentTypes: EITHER, limit: 'maxBodyBytes' },
    replies: { 202: ACCEPTED, 400: REJECTED, 404: NOT_FOUND, 503: UNAVAILABLE },
  },
  submitLabel: {
    id: 'submitLabel',
    method: 'POST',
    path: '/v1/labels',
    tag: 'Feedback',
    permission: 'labels',
    summary: 'Say what a payment turned out to be',
    description: `Fraud or genuine: a chargeback, a review, a report. ${AVRO_NOTE}`,
    body: { schema: 'Label', required: true, contentTypes: EITHER, limit: 'maxBodyBytes' },
    replies: { 202: ACCEPTED, 400: REJECTED, 404: NOT_FOUND, 503: UNAVAILABLE },
  },
  lists: {
    id: 'lists',
    method: 'GET',
    path: '/v1/lists',
    tag: 'Lists',
    permission: 'lists',
    summary: 'All block, allow and watch lists',
    replies: { 200: { description: 'The lists that sluice.yaml declares.', schema: 'Lists' } },
  },
  listEntries: {
    id: 'listEntries',
    method: 'GET',
    path: '/v1/lists/{list}',
    tag: 'Lists',
    permission: 'lists',
    summary: 'Entries of a list, a page at a time',
    query: [
      {
        name: 'after',
        description: 'The `next` of the page before.',
        schema: { type: 'string', minLength: 1, maxLength: 64 },
      },
      {
        name: 'limit',
        description: 'Entries on a page.',
        schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
      },
    ],
    replies: { 200: { description: 'One page.', schema: 'ListPage' }, 400: INVALID, 404: NOT_FOUND },
  },
  listEntry: {
    id: 'listEntry',
    method: 'GET',
    path: '/v1/lists/{list}/{value}',
    tag: 'Lists',
    permission: 'lists',
    summary: 'One entry of a list',
    description: 'On a list of cards the value may be a card number: it is looked up, and answered, by its token.',
    replies: { 200: { description: 'The entry.', schema: 'ListEntry' }, 400: INVALID, 404: NOT_FOUND },
  },
  putListEntry: {
    id: 'putListEntry',
    method: 'PUT',
    path: '/v1/lists/{list}/{value}',
    tag: 'Lists',
    permission: 'lists',
    summary: 'Put a value on a list, or change its entry',
    description: 'Holds for every payment after the ledger offset in the reply.',
    body: { schema: 'ListEntryChange', required: false, contentTypes: JSON_ONLY, limit: 'maxBodyBytes' },
    replies: { 202: ACCEPTED, 400: INVALID, 404: NOT_FOUND, 503: UNAVAILABLE },
  },
  deleteListEntry: {
    id: 'deleteListEntry',
    method: 'DELETE',
    path: '/v1/lists/{list}/{value}',
    tag: 'Lists',
    permission: 'lists',
    summary: 'Take a value off a list',
    query: [{ name: 'reason', description: 'Why.', schema: { type: 'string', maxLength: 256 } }],
    replies: { 202: ACCEPTED, 400: INVALID, 404: NOT_FOUND, 503: UNAVAILABLE },
  },
  posture: {
    id: 'posture',
    method: 'GET',
    path: '/v1/posture',
    tag: 'Posture',
    permission: 'readPosture',
    summary: 'Risk level and degradation now',
    replies: { 200: { description: 'The posture.', schema: 'Posture' } },
  },
  setPosture: {
    id: 'setPosture',
    method: 'PUT',
    path: '/v1/posture',
    tag: 'Posture',
    permission: 'setPosture',
    summary: 'Set risk level and degradation',
    body: { schema: 'PostureChange', required: true, contentTypes: JSON_ONLY, limit: 'maxBodyBytes' },
    replies: { 202: ACCEPTED, 400: INVALID, 503: UNAVAILABLE },
  },
  live: {
    id: 'live',
    method: 'GET',
    path: '/v1/live',
    tag: 'Live',
    permission: 'live',
    summary: 'Live feed of the console',
    description:
      'Server-sent events: one `snapshot`, then an `update` every `intervalMs`. Bounded: decisions are a sample, a viewer that does not keep up is disconnected.',
    replies: { 200: { description: 'An event stream.', contentType: 'text/event-stream', schema: 'LiveUpdate' } },
    refusals: ['liveFull'],
  },
  health: {
    id: 'health',
    method: 'GET',
    path: '/healthz',
    tag: 'Operation',
    permission: null,
    summary: 'Is the process alive?',
    replies: { 200: { description: 'It is.', schema: 'Status' } },
  },
  readiness: {
    id: 'readiness',
    method: 'GET',
    path: '/readyz',
    tag: 'Operation',
    permission: null,
    summary: 'Can it decide? (the engine has caught up with the ledger)',
    replies: {
      200: { description: 'It can.', schema: 'Status' },
      503: { description: 'Not yet; the message says what is missing.', schema: 'Error' },
    },
  },
  metrics: {
    id: 'metrics',
    method: 'GET',
    path: '/metrics',
    tag: 'Operation',
    permission: null,
    summary: 'Metrics for Prometheus',
    replies: { 200: { description: 'Text exposition format.', contentType: 'text/plain' } },
  },
  openApi: {
    id: 'openApi',
    method: 'GET',
    path: '/openapi.json',
    tag: 'Operation',
    permission: null,
    summary: 'This document',
    replies: { 200: { description: 'OpenAPI 3.1.', contentType: 'application/json' } },
  },
  documentation: {
    id: 'documentation',
    method: 'GET',
    path: '/docs',
    tag: 'Operation',
    permission: null,
    summary: 'This document as a page',
    replies: { 200: { description: 'A page.', contentType: 'text/html' } },
  },
  console: {
    id: 'console',
    method: 'GET',
    path: '/',
    tag: 'Operation',
    permission: null,
    summary: 'The console',
    replies: { 200: { description: 'A page.', contentType: 'text/html' } },
  },
  consoleFile: {
    id: 'consoleFile',
    method: 'GET',
    path: '/console/{file}',
    tag: 'Operation',
    permission: null,
    summary: 'A file of the console',
    replies: { 200: { description: 'The file.', contentType: 'text/plain' }, 404: NOT_FOUND },
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationId = keyof typeof OPERATIONS;
