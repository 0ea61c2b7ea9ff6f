import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ModelAnswer } from '../../pipeline/modelGateway.ts';
import type { Handler } from './addRoute.ts';
import { answerJson, senderOf, type HttpContext } from './httpContext.ts';
import { HttpError } from './httpError.ts';
import { modelAnswer, modelPromotion, modelRollback, newModel } from './modelSchemas.ts';
import { pathParameter } from './paymentRoutes.ts';
import { queryText } from './queryParameters.ts';
import { offsetOf } from './ruleRoutes.ts';
import { parseSteering } from './steeringSchemas.ts';

const MAX_REASON_LENGTH = 256;

/** The handlers of model packages. */
export function modelHandlers({ gateway }: HttpContext): {
  readonly models: Handler;
  readonly model: Handler;
  readonly modelChanges: Handler;
  readonly addModel: Handler;
  readonly promoteModel: Handler;
  readonly withdrawModel: Handler;
  readonly rollbackModels: Handler;
  readonly explanation: Handler;
  readonly modelProposals: Handler;
  readonly approveModel: Handler;
  readonly rejectModel: Handler;
} {
  const { models } = gateway;
  const answerProposal =
    (answer: 'approve' | 'reject'): Handler =>
    async (request, reply) => {
      const { reason } = parseSteering(modelAnswer, request.body);
      return answerChange(
        reply,
        await models.answer({ ledgerOffset: offsetOf(request), answer, reason }, authorOf(request)),
      );
    };
  return {
    models: (_request, reply) => answerJson(reply, 200, JSON.stringify({ models: models.list() })),
    modelChanges: (_request, reply) => answerJson(reply, 200, JSON.stringify({ changes: models.changes() })),
    modelProposals: (_request, reply) => answerJson(reply, 200, JSON.stringify({ proposals: models.proposals() })),
    approveModel: answerProposal('approve'),
    rejectModel: answerProposal('reject'),
    model: async (request, reply) => {
      const { id, version } = named(request);
      const model = await models.describe(id, version);
      if (model !== undefined) return answerJson(reply, 200, JSON.stringify(model));
      const message = 'no package of this id and version is registered';
      throw new HttpError(404, { code: 'SLUICE_MODEL_UNKNOWN', field: null, message });
    },
    explanation: async (request, reply) => {
      const answer = await gateway.explain(pathParameter(request, 'transactionId'));
      if (answer.kind === 'explained') return answerJson(reply, 200, JSON.stringify(answer.explanation));
      throw new HttpError(answer.kind === 'unknown' ? 404 : 409, answer.refusal);
    },
    addModel: async (request, reply) => {
      const { metadata, onnx, reason } = parseSteering(newModel, request.body);
      const model = { metadata, onnx: Buffer.from(onnx, 'base64'), reason };
      return answerChange(reply, await models.add(model, authorOf(request)));
    },
    promoteModel: async (request, reply) => {
      const change = { ...named(request), ...parseSteering(modelPromotion, request.body) };
      return answerChange(reply, await models.promote(change, authorOf(request)));
    },
    withdrawModel: async (request, reply) => {
      const reason = queryText(request, 'reason', MAX_REASON_LENGTH) ?? '';
      return answerChange(reply, await models.withdraw({ ...named(request), reason }, authorOf(request)));
    },
    rollbackModels: async (request, reply) => {
      const { reason } = parseSteering(modelRollback, request.body);
      return answerChange(reply, await models.rollback(reason, authorOf(request)));
    },
  };
}

function named(request: FastifyRequest): { readonly id: string; readonly version: string } {
  return { id: pathParameter(request, 'model'), version: pathParameter(request, 'version') };
}

function authorOf(request: FastifyRequest): string {
  return senderOf(request.apiKey, request.headers['content-type']).source;
}

function changedJson({ ledgerOffset, standing, model }: Extract<ModelAnswer, { readonly kind: 'done' }>): string {
  return JSON.stringify({ ledgerOffset, standing, model });
}

function answerChange(reply: FastifyReply, answer: ModelAnswer): FastifyReply {
  switch (answer.kind) {
    case 'done':
      return answerJson(reply, 202, changedJson(answer));
    case 'invalid':
      throw new HttpError(400, answer.refusal);
    case 'unknown':
      throw new HttpError(404, answer.refusal);
    case 'conflict':
      throw new HttpError(409, answer.refusal);
    case 'unavailable':
      throw new HttpError(503, answer.refusal, answer.retryAfterSeconds);
  }
}
