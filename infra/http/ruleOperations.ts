import type { Operation } from './operation.ts';

const JSON_ONLY = ['application/json'] as const;
const INVALID = { description: 'Not accepted. The error names the field.', schema: 'Error' };
const UNAVAILABLE = { description: 'Cannot take it now; nothing was written. See Retry-After.', schema: 'Error' };
const NOT_FOUND = { description: 'Not known.', schema: 'Error' };
const CHANGE_REPLIES = {
  202: { description: 'It is being published or proposed: ask for its progress.', schema: 'PublicationState' },
  400: INVALID,
  404: NOT_FOUND,
  409: { description: 'Another one is being published, or nothing would change.', schema: 'Error' },
  503: UNAVAILABLE,
} as const;
const ASK_PROGRESS =
  'Checked first: a rule set that does not compile, or whose examples fail, is refused. Where the deployment asks for a second ' +
  'person it becomes a proposal. Progress: `GET /v1/publications/latest`.';

/** The routes of the rules' life cycle. */
export const RULE_OPERATIONS = {
  rules: {
    id: 'rules',
    method: 'GET',
    path: '/v1/rules',
    tag: 'Rules',
    permission: 'readRules',
    summary: 'The rules in force',
    replies: { 200: { description: 'The rule set that decides.', schema: 'RuleSet' }, 503: UNAVAILABLE },
  },
  changeRules: {
    id: 'changeRules',
    method: 'POST',
    path: '/v1/rules',
    tag: 'Rules',
    permission: 'publish',
    summary: 'Publish rules: new ones, changed ones, and which to remove',
    description: `Rules that are not named stay as they are. The rule set's version is counted up, and a rule's where it does something else than before. ${ASK_PROGRESS}`,
    body: { schema: 'RuleChanges', required: true, contentTypes: JSON_ONLY, limit: 'maxBatchBytes' },
    replies: CHANGE_REPLIES,
  },
  testRules: {
    id: 'testRules',
    method: 'POST',
    path: '/v1/rules:test',
    tag: 'Rules',
    permission: 'readRules',
    summary: 'Compile rules, run their examples, and show what would change',
    description: 'Changes nothing. The body is that of `POST /v1/rules`.',
    body: { schema: 'RuleChanges', required: true, contentTypes: JSON_ONLY, limit: 'maxBatchBytes' },
    replies: {
      200: { description: 'What is wrong, and what would change.', schema: 'RuleTest' },
      400: INVALID,
      404: NOT_FOUND,
      503: UNAVAILABLE,
    },
  },
  setRule: {
    id: 'setRule',
    method: 'PUT',
    path: '/v1/rules/{rule}/mode',
    tag: 'Rules',
    permission: 'publish',
    summary: 'Put a rule live, into shadow or off, or change the share of accounts for which it counts',
    description: ASK_PROGRESS,
    body: {
      schema: 'RuleSetting',
      required: true,
      contentTypes: JSON_ONLY,
      limit: 'maxBodyBytes',
      example: { mode: 'live', rollout: 25, reason: 'quiet in shadow for a week' },
    },
    replies: CHANGE_REPLIES,
  },
  rollback: {
    id: 'rollback',
    method: 'POST',
    path: '/v1/publications/rollback',
    tag: 'Publications',
    permission: 'publish',
    summary: 'Publish an earlier version again',
    description: `From the ledger, whole and byte for byte: features, rules, lists and policy. ${ASK_PROGRESS}`,
    body: { schema: 'Rollback', required: true, contentTypes: JSON_ONLY, limit: 'maxBodyBytes' },
    replies: CHANGE_REPLIES,
  },
  publicationHistory: {
    id: 'publicationHistory',
    method: 'GET',
    path: '/v1/publications',
    tag: 'Publications',
    permission: 'readRules',
    summary: 'Who changed what, when and why',
    description: 'Publications, proposals and the answers to them, newest first; of one rule: those that changed it.',
    query: [
      { name: 'rule', description: 'Only what changed this rule.', schema: { type: 'string', maxLength: 64 } },
      { name: 'before', description: '`next` of the page before.', schema: { type: 'integer', minimum: 0 } },
      { name: 'limit', description: 'At most so many.', schema: { type: 'integer', minimum: 1, maximum: 100 } },
    ],
    replies: { 200: { description: 'A page.', schema: 'PublicationPage' }, 400: INVALID },
  },
  publicationDetails: {
    id: 'publicationDetails',
    method: 'GET',
    path: '/v1/publications/{ledgerOffset}',
    tag: 'Publications',
    permission: 'readRules',
    summary: 'One publication or proposal, whole, with what it changed',
    replies: { 200: { description: 'It.', schema: 'PublicationDetails' }, 400: INVALID, 404: NOT_FOUND },
  },
  proposals: {
    id: 'proposals',
    method: 'GET',
    path: '/v1/proposals',
    tag: 'Publications',
    permission: 'readRules',
    summary: 'What waits for a second person',
    replies: { 200: { description: 'The open proposals, oldest first.', schema: 'Proposals' } },
  },
  approveProposal: {
    id: 'approveProposal',
    method: 'POST',
    path: '/v1/proposals/{ledgerOffset}/approve',
    tag: 'Publications',
    permission: 'publish',
    summary: 'Put a proposal into force',
    description:
      'By another key than the one that proposed it, and only while what it was made from is in force. Progress: `GET /v1/publications/latest`.',
    body: { schema: 'Answer', required: false, contentTypes: JSON_ONLY, limit: 'maxBodyBytes' },
    replies: CHANGE_REPLIES,
  },
  rejectProposal: {
    id: 'rejectProposal',
    method: 'POST',
    path: '/v1/proposals/{ledgerOffset}/reject',
    tag: 'Publications',
    permission: 'publish',
    summary: 'End a proposal without effect',
    description: 'Its author may, too.',
    body: { schema: 'Answer', required: false, contentTypes: JSON_ONLY, limit: 'maxBodyBytes' },
    replies: CHANGE_REPLIES,
  },
} as const satisfies Readonly<Record<string, Operation>>;
