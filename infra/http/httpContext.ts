import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { AcceptAnswer, Gateway, Sender } from '../../pipeline/gateway.ts';
import type { Admission } from './admission.ts';
import type { ApiKey } from './apiKeys.ts';
import { errorJson, HttpError } from './httpError.ts';
import type { HttpMetrics } from './httpMetrics.ts';
import type { HttpSettings } from './httpSettings.ts';
import type { LiveFeedPort } from './liveFeed.ts';
import type { Operation } from './operation.ts';

/** What every route needs. */
export interface HttpContext {
  readonly gateway: Gateway;
  readonly metrics: HttpMetrics;
  readonly liveFeed: LiveFeedPort;
  readonly settings: HttpSettings;
  readonly admission: Admission;
  readonly logger: Logger;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null on public routes. */
    apiKey: ApiKey | null;
  }
  interface FastifyContextConfig {
    operation?: Operation;
  }
}

export function answerJson(reply: FastifyReply, status: number, json: string): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(json);
}

export function answerHttpError(reply: FastifyReply, error: HttpError): FastifyReply {
  if (error.retryAfterSeconds !== null) reply.header('retry-after', error.retryAfterSeconds);
  if (error.status === 401) reply.header('www-authenticate', 'Bearer');
  return answerJson(reply, error.status, errorJson(error));
}

export function answerAccepted(reply: FastifyReply, answer: AcceptAnswer): FastifyReply {
  switch (answer.kind) {
    case 'accepted':
      return answerJson(reply, 202, `{"ledgerOffset":${answer.ledgerOffset}}`);
    case 'rejected':
      throw new HttpError(400, answer.refusal);
    case 'unknownTransaction':
      throw new HttpError(404, answer.refusal);
    case 'unavailable':
      throw new HttpError(503, answer.refusal, answer.retryAfterSeconds);
  }
}

export function senderOf(apiKey: ApiKey | null, contentType: string | undefined): Sender {
  return { source: apiKey?.id ?? 'anonymous', contentType: (contentType ?? '').slice(0, 128) };
}
