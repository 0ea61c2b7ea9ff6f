import type { BacktestSpan } from '../../pipeline/backtest/historyFacts.ts';
import { GATE_DAYS } from '../../pipeline/backtest/publicationGate.ts';
import type { Handler } from './addRoute.ts';
import { answerJson, type HttpContext } from './httpContext.ts';
import { HttpError, inputInvalid } from './httpError.ts';
import type { LOOK_BACK_OPERATIONS } from './lookBackOperations.ts';
import { backtestRequest } from './lookBackSchemas.ts';
import { pathParameter } from './paymentRoutes.ts';
import { publicationError } from './publicationError.ts';
import { parseSteering } from './steeringSchemas.ts';

/** The handlers of backtests and certificates. */
export function lookBackHandlers({
  gateway,
}: HttpContext): Readonly<Record<keyof typeof LOOK_BACK_OPERATIONS, Handler>> {
  return {
    startBacktest: async (request, reply) => {
      const { rules, remove, content, days, decisions } = parseSteering(backtestRequest, request.body);
      if (content !== null && rules.length + remove.length > 0)
        throw inputInvalid('content', 'give content, or rules and remove, not both');
      const what = content === null ? { kind: 'rules' as const, rules, removed: remove } : { content };
      const refusal = await gateway.startBacktest(what, spanOf(days, decisions));
      if (refusal !== null) throw publicationError(refusal);
      return answerJson(reply, 202, JSON.stringify(gateway.backtest()));
    },
    backtest: (_request, reply) => answerJson(reply, 200, JSON.stringify(gateway.backtest())),
    cancelBacktest: (_request, reply) => answerJson(reply, 200, JSON.stringify(gateway.cancelBacktest())),
    certificate: async (request, reply) => {
      const certificate = await gateway.certificate(pathParameter(request, 'transactionId'));
      if (certificate !== undefined) return answerJson(reply, 200, JSON.stringify(certificate));
      const message = 'no payment of this id was decided';
      throw new HttpError(404, { code: 'SLUICE_TRANSACTION_UNKNOWN', field: null, message });
    },
  };
}

function spanOf(days: number | null, decisions: number | null): BacktestSpan {
  if (days !== null && decisions !== null) throw inputInvalid('decisions', 'give days or decisions, not both');
  return decisions === null ? { kind: 'days', days: days ?? GATE_DAYS } : { kind: 'decisions', decisions };
}
