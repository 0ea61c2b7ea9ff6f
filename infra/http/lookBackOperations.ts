import type { Operation } from './operation.ts';

const INVALID = { description: 'Not accepted. The error names the field.', schema: 'Error' };
const STATE = { description: 'How far it is, with the report once it is done.', schema: 'Backtest' };

/** The routes that look back: at what a change would have done, and at what a decision came from. */
export const LOOK_BACK_OPERATIONS = {
  startBacktest: {
    id: 'startBacktest',
    method: 'POST',
    path: '/v1/backtests',
    tag: 'Backtests',
    permission: 'readRules',
    summary: 'Find out which verdicts a change of the rules would have changed',
    description:
      'The body is that of `POST /v1/rules` without its reason, or a configuration whole, and a span. Every payment of the span is ' +
      'decided anew, in the history, with features, score, lists and risk level as they were when it came; nothing changes. One at a ' +
      'time, 10 minutes at most. Progress and report: `GET /v1/backtests/latest`.',
    body: {
      schema: 'BacktestRequest',
      required: true,
      contentTypes: ['application/json'],
      limit: 'maxBatchBytes',
      example: { remove: ['card-velocity'], days: 7 },
    },
    replies: {
      202: { description: 'It is running: ask for its progress.', schema: 'Backtest' },
      400: INVALID,
      404: { description: 'Not known.', schema: 'Error' },
      409: { description: 'Another one is running, or Sluice runs without a history.', schema: 'Error' },
      503: { description: 'Not ready. See Retry-After.', schema: 'Error' },
    },
  },
  backtest: {
    id: 'backtest',
    method: 'GET',
    path: '/v1/backtests/latest',
    tag: 'Backtests',
    permission: 'readRules',
    summary: 'Progress of the latest backtest, and its report',
    description: 'The last report is kept until the next backtest or a restart.',
    replies: { 200: STATE },
  },
  cancelBacktest: {
    id: 'cancelBacktest',
    method: 'DELETE',
    path: '/v1/backtests/latest',
    tag: 'Backtests',
    permission: 'readRules',
    summary: 'End the backtest that is running',
    replies: { 200: STATE },
  },
  certificate: {
    id: 'certificate',
    method: 'GET',
    path: '/v1/certificates/{transactionId}',
    tag: 'Decisions',
    permission: 'readRules',
    summary: 'Everything that a decision came from',
    description:
      'The payment as recorded, the decision, every feature, the rules that fired as they were written then, who published rules and ' +
      'model, and the seals. As `sluice decision ID --json`.',
    replies: {
      200: { description: 'The certificate of the first decision on this payment.', schema: 'Certificate' },
      404: { description: 'No such payment.', schema: 'Error' },
    },
  },
} as const satisfies Readonly<Record<string, Operation>>;
