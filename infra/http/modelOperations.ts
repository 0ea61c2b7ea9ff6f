import type { Operation } from './operation.ts';

const INVALID = { description: 'The package or the change is refused. The error says why.', schema: 'Error' };
const UNKNOWN = { description: 'No such package is registered, or no such proposal open.', schema: 'Error' };
const CONFLICT = { description: 'Not as things are now; the error says what stands against it.', schema: 'Error' };
const UNAVAILABLE = { description: 'Cannot take it now; nothing was written. See Retry-After.', schema: 'Error' };
const CHANGED = {
  description: 'In force from the ledger offset in the reply, or proposed: `standing` says which.',
  schema: 'ModelChanged',
};
const CHANGE_REPLIES = { 202: CHANGED, 400: INVALID, 404: UNKNOWN, 409: CONFLICT, 503: UNAVAILABLE } as const;
const JSON_ONLY = ['application/json'] as const;

/** The routes of model packages: which score, and changes of that. */
export const MODEL_OPERATIONS = {
  models: {
    id: 'models',
    method: 'GET',
    path: '/v1/models',
    tag: 'Models',
    permission: 'readModels',
    summary: 'Champion, challengers and other known packages',
    replies: { 200: { description: 'The models.', schema: 'Models' } },
  },
  modelChanges: {
    id: 'modelChanges',
    method: 'GET',
    path: '/v1/models/changes',
    tag: 'Models',
    permission: 'readModels',
    summary: 'Who changed which model, when and why, the newest first',
    description: 'The last 200. The history has all of them in model_promotions.',
    replies: { 200: { description: 'The changes.', schema: 'ModelChanges' } },
  },
  model: {
    id: 'model',
    method: 'GET',
    path: '/v1/models/{model}/{version}',
    tag: 'Models',
    permission: 'readModels',
    summary: 'One package with its model.json',
    replies: { 200: { description: 'The package.', schema: 'ModelDescription' }, 404: UNKNOWN },
  },
  addModel: {
    id: 'addModel',
    method: 'POST',
    path: '/v1/models',
    tag: 'Models',
    permission: 'changeModels',
    summary: 'Register a package as a challenger',
    description:
      'It is loaded and tried first. From the ledger offset in the reply on its scores are recorded in the history beside the ' +
      "champion's; no verdict changes, and none waits for it.",
    body: { schema: 'NewModel', required: true, contentTypes: JSON_ONLY, limit: 'maxModelBytes' },
    replies: { 202: CHANGED, 400: INVALID, 409: CONFLICT, 503: UNAVAILABLE },
  },
  rollbackModels: {
    id: 'rollbackModels',
    method: 'POST',
    path: '/v1/models/rollback',
    tag: 'Models',
    permission: 'changeModels',
    summary: 'Take the last promotion back',
    description:
      "A challenger's share of accounts goes back to the champion; where none has one, the champion before returns.",
    body: {
      schema: 'ModelRollback',
      required: false,
      contentTypes: JSON_ONLY,
      limit: 'maxBodyBytes',
      example: { reason: 'too many challenges since noon' },
    },
    replies: { 202: CHANGED, 400: INVALID, 409: CONFLICT, 503: UNAVAILABLE },
  },
  promoteModel: {
    id: 'promoteModel',
    method: 'PUT',
    path: '/v1/models/{model}/{version}',
    tag: 'Models',
    permission: 'changeModels',
    summary: 'Give a package a share of accounts, or all of them',
    description:
      '100 makes it champion. 1 to 99: it scores the verdicts of so many percent of accounts, always the same ones, and a ' +
      'greater share only adds to them. 0: its scores are only recorded.',
    body: {
      schema: 'ModelPromotion',
      required: true,
      contentTypes: JSON_ONLY,
      limit: 'maxBodyBytes',
      example: { percent: 10, reason: 'better on last month, trial' },
    },
    replies: CHANGE_REPLIES,
  },
  modelProposals: {
    id: 'modelProposals',
    method: 'GET',
    path: '/v1/models/proposals',
    tag: 'Models',
    permission: 'readModels',
    summary: 'Changes of models that wait for a second person',
    description:
      'Where the deployment asks for one: of what scores verdicts. They end when other models score verdicts.',
    replies: { 200: { description: 'The open proposals, oldest first.', schema: 'ModelProposals' } },
  },
  approveModel: {
    id: 'approveModel',
    method: 'POST',
    path: '/v1/models/proposals/{ledgerOffset}/approve',
    tag: 'Models',
    permission: 'changeModels',
    summary: 'Put a proposed change of a model into force',
    description: 'By another key than the one that proposed it.',
    body: { schema: 'ModelAnswer', required: false, contentTypes: JSON_ONLY, limit: 'maxBodyBytes' },
    replies: CHANGE_REPLIES,
  },
  rejectModel: {
    id: 'rejectModel',
    method: 'POST',
    path: '/v1/models/proposals/{ledgerOffset}/reject',
    tag: 'Models',
    permission: 'changeModels',
    summary: 'End a proposed change of a model without effect',
    description: 'Its author may, too.',
    body: { schema: 'ModelAnswer', required: false, contentTypes: JSON_ONLY, limit: 'maxBodyBytes' },
    replies: CHANGE_REPLIES,
  },
  explanation: {
    id: 'explanation',
    method: 'GET',
    path: '/v1/explanations/{transactionId}',
    tag: 'Models',
    permission: 'readModels',
    summary: 'Why the model scored a payment as it did',
    description:
      'Of any decision that a model scored, approved ones too: computed again from the features that the decision holds, with the ' +
      'model that scored it, and checked against the decision to the last bit.',
    replies: {
      200: { description: 'The explanation.', schema: 'Explanation' },
      404: { description: 'No such payment.', schema: 'Error' },
      409: { description: 'It cannot be explained; the error says why.', schema: 'Error' },
    },
  },
  withdrawModel: {
    id: 'withdrawModel',
    method: 'DELETE',
    path: '/v1/models/{model}/{version}',
    tag: 'Models',
    permission: 'changeModels',
    summary: 'End a challenger',
    query: [{ name: 'reason', description: 'Why.', schema: { type: 'string', maxLength: 256 } }],
    replies: CHANGE_REPLIES,
  },
} as const satisfies Readonly<Record<string, Operation>>;
