import type { StateReport } from '../../pipeline/engine/stateReporter.ts';
import type { Handler } from './addRoute.ts';
import { answerJson, type HttpContext } from './httpContext.ts';
import { HttpError } from './httpError.ts';

/** The handler that tells what the feature windows hold. */
export function stateHandlers({ gateway }: HttpContext): { readonly state: Handler } {
  return {
    state: async (_request, reply) => {
      const answer = await gateway.state();
      if (answer.kind === 'unavailable') throw new HttpError(503, answer.refusal, answer.retryAfterSeconds);
      return answerJson(reply, 200, stateJson(answer.report));
    },
  };
}

/** As REPLY_SCHEMAS.State has it. */
function stateJson(report: StateReport): string {
  const { catalogueSha256, timeMs, bytes, memory, features, hottest, statistics, refusedIds } = report;
  return JSON.stringify({
    catalogueSha256,
    timeMs,
    bytes,
    ...memory,
    features,
    hottest: hottest.map(({ entity, keys }) => ({
      entity,
      keys: keys.map(({ texts, events }) => ({ key: texts, events })),
    })),
    estimatedDistincts: statistics.estimatedDistincts,
    counted: {
      lateBeyondBound: statistics.lateBeyondBound,
      unknownLabels: statistics.unknownLabels,
      unknownOutcomes: statistics.unknownOutcomes,
      unknownReversals: statistics.unknownReversals,
      failedExpressions: statistics.failedExpressions,
      refusedIds,
      refusedKeys: statistics.refusedKeys,
      uncountedValues: statistics.uncountedValues,
      droppedCandidates: statistics.droppedCandidates,
      droppedFacts: statistics.droppedFacts,
      forcedOut: statistics.forcedOut,
      hurriedCrossings: statistics.hurriedCrossings,
    },
  });
}
