import type { Decision, Fallback } from '../schemas/types.ts';
import type { VerdictReply } from './gateway.ts';

/** The reply that tells a decision. */
export function replyOfDecision(decision: Decision, status: VerdictReply['status']): VerdictReply {
  const { modelId, modelVersion } = decision;
  return {
    transactionId: decision.transactionId,
    verdict: decision.verdict,
    score: decision.score,
    status,
    mode: decision.mode,
    degraded: decision.degraded,
    reasons: decision.reasons,
    ruleSet: decision.ruleSet,
    model: modelId === null || modelVersion === null ? null : { id: modelId, version: modelVersion },
    ledgerOffset: decision.ledgerOffset,
  };
}

/** The reply that tells the fallback given at the deadline. */
export function replyOfFallback(fallback: Fallback, ruleSet: string, status: VerdictReply['status']): VerdictReply {
  return {
    transactionId: fallback.transactionId,
    verdict: fallback.verdict,
    score: 0,
    status,
    mode: 'fallback',
    degraded: ['rules', 'model'],
    reasons: [
      {
        code: 'DEADLINE',
        rule: null,
        version: null,
        list: null,
        feature: null,
        contribution: null,
        value: null,
        text: {
          en: `No decision within ${String(fallback.deadlineMs)} ms: the configured fallback verdict`,
          zh: `${String(fallback.deadlineMs)} 毫秒内未得出决定：采用预设的后备结论`,
        },
      },
    ],
    ruleSet,
    model: null,
    ledgerOffset: fallback.transactionOffset,
  };
}
