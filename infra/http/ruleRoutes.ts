import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal, RuleSetChange } from '../../pipeline/gateway.ts';
import type { Handler } from './addRoute.ts';
import { answerJson, senderOf, type HttpContext } from './httpContext.ts';
import { HttpError } from './httpError.ts';
import { pathParameter } from './paymentRoutes.ts';
import { publicationError } from './publicationError.ts';
import { queryNumber, queryText } from './queryParameters.ts';
import type { RULE_OPERATIONS } from './ruleOperations.ts';
import { answer, rollback, ruleChanges, ruleSetting } from './ruleSchemas.ts';
import { parseSteering } from './steeringSchemas.ts';

const MAX_RULE_ID_LENGTH = 64;
const MAX_PAGE = 100;
const DEFAULT_PAGE = 20;

/** The handlers of the rules' life cycle. */
export function ruleHandlers({ gateway }: HttpContext): Readonly<Record<keyof typeof RULE_OPERATIONS, Handler>> {
  function answerStarted(reply: FastifyReply, refusal: Refusal | null): FastifyReply {
    if (refusal !== null) throw publicationError(refusal);
    return answerJson(reply, 202, JSON.stringify(gateway.publication()));
  }

  async function change(
    request: FastifyRequest,
    reply: FastifyReply,
    wanted: RuleSetChange,
    why: { readonly reason: string; readonly force: string | null },
  ): Promise<FastifyReply> {
    const sender = senderOf(request.apiKey, request.headers['content-type']);
    return answerStarted(reply, await gateway.changeRules(wanted, why, sender));
  }

  async function answerProposal(
    request: FastifyRequest,
    reply: FastifyReply,
    how: 'approve' | 'reject',
  ): Promise<FastifyReply> {
    const { reason } = parseSteering(answer, request.body);
    const proposal = { ledgerOffset: offsetOf(request), answer: how, reason };
    const sender = senderOf(request.apiKey, request.headers['content-type']);
    return answerStarted(reply, await gateway.answerProposal(proposal, sender));
  }

  return {
    rules: (_request, reply) => {
      const ruleSet = gateway.ruleSet();
      if (ruleSet === null)
        throw publicationError({ code: 'SLUICE_NOT_READY', field: null, message: 'no rule set is in force yet' });
      return answerJson(reply, 200, JSON.stringify(ruleSet));
    },
    changeRules: (request, reply) => {
      const { rules, remove, ...why } = parseSteering(ruleChanges, request.body);
      return change(request, reply, { kind: 'rules', rules, removed: remove }, why);
    },
    testRules: async (request, reply) => {
      const { rules, remove } = parseSteering(ruleChanges, request.body);
      const tested = await gateway.testRules({ kind: 'rules', rules, removed: remove });
      if ('code' in tested) throw publicationError(tested);
      return answerJson(reply, 200, JSON.stringify(tested));
    },
    setRule: (request, reply) => {
      const { mode, rollout, ...why } = parseSteering(ruleSetting, request.body);
      if (mode === null && rollout === null)
        throw new HttpError(400, {
          code: 'SLUICE_INPUT_INVALID',
          field: 'mode',
          message: 'give mode, rollout or both',
        });
      return change(request, reply, { kind: 'set', rule: pathParameter(request, 'rule'), mode, rollout }, why);
    },
    rollback: (request, reply) => {
      const { version, ...why } = parseSteering(rollback, request.body);
      return change(request, reply, { kind: 'rollback', version }, why);
    },
    publicationHistory: async (request, reply) => {
      const page = await gateway.publicationHistory({
        rule: queryText(request, 'rule', MAX_RULE_ID_LENGTH),
        before: queryNumber(request, 'before', 0, Number.MAX_SAFE_INTEGER),
        limit: queryNumber(request, 'limit', 1, MAX_PAGE) ?? DEFAULT_PAGE,
      });
      return answerJson(reply, 200, JSON.stringify(page));
    },
    publicationDetails: async (request, reply) => {
      const details = await gateway.publicationDetails(offsetOf(request));
      if (details === undefined) {
        const message = 'no publication or proposal is remembered at this ledger offset';
        throw new HttpError(404, { code: 'SLUICE_PUBLICATION_UNKNOWN', field: 'ledgerOffset', message });
      }
      return answerJson(reply, 200, JSON.stringify(details));
    },
    proposals: async (_request, reply) =>
      answerJson(reply, 200, JSON.stringify({ proposals: await gateway.proposals() })),
    approveProposal: (request, reply) => answerProposal(request, reply, 'approve'),
    rejectProposal: (request, reply) => answerProposal(request, reply, 'reject'),
  };
}

/** Of a publication or proposal, in the path. */
export function offsetOf(request: FastifyRequest): number {
  const text = pathParameter(request, 'ledgerOffset');
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const message = 'must be a whole number: the ledger offset of a publication or proposal';
  throw new HttpError(400, { code: 'SLUICE_INPUT_INVALID', field: 'ledgerOffset', message });
}
