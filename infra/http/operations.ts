import { LOOK_BACK_OPERATIONS } from './lookBackOperations.ts';
import { MODEL_OPERATIONS } from './modelOperations.ts';
import type { Operation } from './operation.ts';
import { RULE_OPERATIONS } from './ruleOperations.ts';

const PAYMENT = {
  transactionId: 't-81',
  eventTimeMs: 1_767_225_600_000,
  type: 'purchase',
  channel: 'card',
  amountMinor: 12_599,
  currency: 'CNY',
  account: 'a-102',
  card: { pan: '4111111111111111' },
  device: 'd-9',
  ip: '203.0.113.7',
  merchant: 'm-7',
  mcc: '5411',
};
const FEEDBACK_TIME_MS = 1_767_830_400_000;
const EITHER = ['application/json', 'avro/binary'] as const;
const JSON_ONLY = ['application/json'] as const;
const REJECTED = { description: 'Rejected; a dead letter was written. The error names the field.', schema: 'Error' };
const INVALID = { description: 'Not accepted. The error names the field.', schema: 'Error' };
const UNAVAILABLE = { description: 'Cannot take it now; nothing was written. See Retry-After.', schema: 'Error' };
const ACCEPTED = { description: 'Durably in the ledger.', schema: 'Accepted' };
const NOT_FOUND = { description: 'Not known.', schema: 'Error' };
const AVRO_NOTE =
  'JSON, or Avro in single-object encoding (10-byte header with the schema fingerprint, then the binary datum).';

/**
 * Every route there is. The server takes method, path, permission, content types and body bound from here, and the
 * OpenAPI document is made of it: a route that is not documented cannot exist.
 */
export const OPERATIONS = {
  submitTransaction: {
    id: 'submitTransaction',
    method: 'POST',
    path: '/v1/transactions',
    tag: 'Payments',
    permission: 'transactions',
    summary: 'Decide on a payment',
    description: `One payment in, one verdict back. ${AVRO_NOTE} The payment and its decision are durable before the reply. Sending the same payment again is safe: it gets the earlier verdict, with status "duplicate".`,
    body: {
      schema: 'GatewayTransaction',
      required: true,
      contentTypes: EITHER,
      limit: 'maxBodyBytes',
      example: PAYMENT,
    },
    replies: {
      200: { description: 'The verdict, new or (of a retry) the earlier one.', schema: 'Verdict' },
      400: REJECTED,
      409: { description: 'This transaction id was used before for other content.', schema: 'Error' },
      503: UNAVAILABLE,
    },
    refusals: ['tooMany', 'overloaded'],
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
    body: {
      schema: 'Batch',
      required: true,
      contentTypes: JSON_ONLY,
      limit: 'maxBatchBytes',
      example: { transactions: [PAYMENT] },
    },
    replies: { 200: { description: 'One result for each payment.', schema: 'BatchReply' }, 400: REJECTED },
    refusals: ['tooMany', 'overloaded'],
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
    body: {
      schema: 'Outcome',
      required: true,
      contentTypes: EITHER,
      limit: 'maxBodyBytes',
      example: { transactionId: 't-81', eventTimeMs: FEEDBACK_TIME_MS, outcome: 'authorised' },
    },
    replies: { 202: ACCEPTED, 400: REJECTED, 404: NOT_FOUND, 503: UNAVAILABLE },
    refusals: ['overloaded'],
  },
  submitLabel: {
    id: 'submitLabel',
    method: 'POST',
    path: '/v1/labels',
    tag: 'Feedback',
    permission: 'labels',
    summary: 'Say what a payment turned out to be',
    description: `Fraud or genuine: a chargeback, a review, a report. ${AVRO_NOTE}`,
    body: {
      schema: 'Label',
      required: true,
      contentTypes: EITHER,
      limit: 'maxBodyBytes',
      example: { transactionId: 't-81', eventTimeMs: FEEDBACK_TIME_MS, label: 'fraud', labelSource: 'chargeback' },
    },
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
  checkLists: {
    id: 'checkLists',
    method: 'POST',
    path: '/v1/lists:check',
    tag: 'Lists',
    permission: 'lists',
    summary: 'Which lists is a value on?',
    description:
      'Looks at every list that the value can be on: an address is also found in a block, a BIN in a range, a card number by its token.',
    body: {
      schema: 'ListCheck',
      required: true,
      contentTypes: JSON_ONLY,
      limit: 'maxBodyBytes',
      example: { value: '203.0.113.7' },
    },
    replies: { 200: { description: 'The lists, each with the entry that holds.', schema: 'ListHits' }, 400: INVALID },
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
        schema: { type: 'string', minLength: 1, maxLength: 16 },
      },
      {
        name: 'limit',
        description: 'Entries on a page.',
        schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
      },
    ],
    replies: { 200: { description: 'One page.', schema: 'ListPage' }, 400: INVALID, 404: NOT_FOUND },
  },
  changeListEntries: {
    id: 'changeListEntries',
    method: 'POST',
    path: '/v1/lists/{list}',
    tag: 'Lists',
    permission: 'lists',
    summary: 'Put many values on a list, or take them off',
    description:
      'Up to 500 entries, all from one ledger offset on: what `sluice lists import` sends over and over. One wrong entry refuses ' +
      'them all. Card numbers are kept as tokens only.',
    body: {
      schema: 'ListChange',
      required: true,
      contentTypes: JSON_ONLY,
      limit: 'maxBatchBytes',
      example: {
        action: 'put',
        reason: 'scanner networks of November',
        entries: [{ value: '203.0.113.0/24' }, { value: '2001:db8::/32', reason: 'open proxies' }],
      },
    },
    replies: { 202: ACCEPTED, 400: INVALID, 404: NOT_FOUND, 503: UNAVAILABLE },
  },
  listEntry: {
    id: 'listEntry',
    method: 'GET',
    path: '/v1/lists/{list}/{value}',
    tag: 'Lists',
    permission: 'lists',
    summary: 'One entry of a list',
    description:
      'The entry that holds for the value: of an address also a block that it lies in. On a list of cards the value may be a card ' +
      'number: it is looked up, and answered, by its token.',
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
    body: {
      schema: 'ListEntryChange',
      required: true,
      contentTypes: JSON_ONLY,
      limit: 'maxBodyBytes',
      example: { reason: 'reported stolen' },
    },
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
  snoozes: {
    id: 'snoozes',
    method: 'GET',
    path: '/v1/snoozes',
    tag: 'Snoozes',
    permission: 'lists',
    summary: 'Rules that are snoozed now, a page at a time',
    query: [
      {
        name: 'after',
        description: 'The `next` of the page before.',
        schema: { type: 'string', minLength: 1, maxLength: 16 },
      },
      {
        name: 'limit',
        description: 'Snoozes on a page.',
        schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
      },
    ],
    replies: { 200: { description: 'One page.', schema: 'SnoozePage' }, 400: INVALID },
  },
  addSnooze: {
    id: 'addSnooze',
    method: 'POST',
    path: '/v1/snoozes',
    tag: 'Snoozes',
    permission: 'lists',
    summary: 'Snooze a rule for one account, card and so on',
    description:
      'From the next payment on the rule does not count there. Decisions still say that it fired, and that it was snoozed.',
    body: {
      schema: 'Snooze',
      required: true,
      contentTypes: JSON_ONLY,
      limit: 'maxBodyBytes',
      example: {
        rule: 'card-velocity',
        entity: 'account',
        id: 'a-102',
        expiresAtMs: 1_800_000_000_000,
        reason: 'buys for a school; checked by phone',
      },
    },
    replies: { 202: ACCEPTED, 400: INVALID, 503: UNAVAILABLE },
  },
  endSnooze: {
    id: 'endSnooze',
    method: 'POST',
    path: '/v1/snoozes:end',
    tag: 'Snoozes',
    permission: 'lists',
    summary: 'Have a snoozed rule count again',
    body: {
      schema: 'SnoozeEnd',
      required: true,
      contentTypes: JSON_ONLY,
      limit: 'maxBodyBytes',
      example: { rule: 'card-velocity', entity: 'account', id: 'a-102', reason: 'the school year is over' },
    },
    replies: { 202: ACCEPTED, 400: INVALID, 503: UNAVAILABLE },
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
    body: {
      schema: 'PostureChange',
      required: true,
      contentTypes: JSON_ONLY,
      limit: 'maxBodyBytes',
      example: { riskLevel: 'elevated', reason: 'card testing since noon' },
    },
    replies: { 202: ACCEPTED, 400: INVALID, 503: UNAVAILABLE },
  },
  state: {
    id: 'state',
    method: 'GET',
    path: '/v1/state',
    tag: 'State',
    permission: 'readState',
    summary: 'Memory by entity and feature, and the hottest keys',
    description:
      'Looks at every key, a few at a time between other work: seconds with millions of keys. Each key is told as it was when it was looked at.',
    replies: { 200: { description: 'What the feature windows hold.', schema: 'State' }, 503: UNAVAILABLE },
  },
  publish: {
    id: 'publish',
    method: 'POST',
    path: '/v1/publications',
    tag: 'Publications',
    permission: 'publish',
    summary: 'Publish a configuration',
    description:
      'Catalogue, rules, lists and policy, whole: what `sluice features add` sends. A catalogue that differs from the one in force ' +
      'has its state built from the ledger first, while decisions go on; the change takes effect at one ledger offset. ' +
      'Ask for its progress until it is in force: one that nobody asks for during 30 s is given up.',
    body: { schema: 'Publication', required: true, contentTypes: JSON_ONLY, limit: 'maxBatchBytes' },
    replies: {
      202: { description: 'It is being published: ask for its progress.', schema: 'PublicationState' },
      400: INVALID,
      409: {
        description:
          'Another one is being published, it was made from another one than is in force, or nothing would change.',
        schema: 'Error',
      },
      503: UNAVAILABLE,
    },
  },
  publication: {
    id: 'publication',
    method: 'GET',
    path: '/v1/publications/latest',
    tag: 'Publications',
    permission: 'publish',
    summary: 'Progress of the latest publication',
    replies: { 200: { description: 'How far it has come.', schema: 'PublicationState' } },
  },
  cancelPublication: {
    id: 'cancelPublication',
    method: 'DELETE',
    path: '/v1/publications/latest',
    tag: 'Publications',
    permission: 'publish',
    summary: 'Give up the latest publication',
    description: 'Before it is in the ledger; afterwards this changes nothing.',
    replies: { 200: { description: 'How far it has come.', schema: 'PublicationState' } },
  },
  ...RULE_OPERATIONS,
  ...LOOK_BACK_OPERATIONS,
  ...MODEL_OPERATIONS,
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
