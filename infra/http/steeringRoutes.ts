import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Handler } from './addRoute.ts';
import { answerAccepted, answerJson, senderOf, type HttpContext } from './httpContext.ts';
import { HttpError } from './httpError.ts';
import { pathParameter } from './paymentRoutes.ts';
import { publicationError } from './publicationError.ts';
import { queryNumber, queryText } from './queryParameters.ts';
import { listEntryChange, parseSteering, postureChange, publicationRequest } from './steeringSchemas.ts';

/** As in schemas/list-change.avsc. */
const MAX_VALUE_LENGTH = 64;
const MAX_REASON_LENGTH = 256;
const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

/** The handlers of what analysts and operators change: lists, posture, the configuration. */
export function steeringHandlers(context: HttpContext): {
  readonly lists: Handler;
  readonly listEntries: Handler;
  readonly listEntry: Handler;
  readonly putListEntry: Handler;
  readonly deleteListEntry: Handler;
  readonly posture: Handler;
  readonly setPosture: Handler;
  readonly publish: Handler;
  readonly publication: Handler;
  readonly cancelPublication: Handler;
} {
  const { gateway } = context;

  function knownList(request: FastifyRequest): string {
    const list = pathParameter(request, 'list');
    if (!gateway.lists().some((known) => known.name === list)) {
      throw new HttpError(404, {
        code: 'SLUICE_LIST_UNKNOWN',
        field: 'list',
        message: 'sluice.yaml declares no list of this name',
      });
    }
    return list;
  }

  async function changeList(
    request: FastifyRequest,
    reply: FastifyReply,
    change: { readonly action: 'put' | 'delete'; readonly expiresAtMs: number | null; readonly reason: string },
  ): Promise<FastifyReply> {
    const answer = await gateway.changeList(
      { list: knownList(request), value: listValue(request), ...change },
      senderOf(request.apiKey, request.headers['content-type']),
    );
    return answerAccepted(reply, answer);
  }

  return {
    lists: (_request, reply) => answerJson(reply, 200, JSON.stringify({ lists: gateway.lists() })),
    listEntries: (request, reply) => {
      const list = knownList(request);
      const after = queryText(request, 'after', MAX_VALUE_LENGTH);
      const limit = queryNumber(request, 'limit', 1, MAX_PAGE) ?? DEFAULT_PAGE;
      const entries = gateway.listEntries(list, { after, limit }) ?? [];
      const next = entries.length < limit ? null : (entries.at(-1)?.value ?? null);
      return answerJson(reply, 200, JSON.stringify({ list, entries, next }));
    },
    listEntry: (request, reply) => {
      const entry = gateway.listEntry(knownList(request), listValue(request));
      if (entry === undefined) {
        throw new HttpError(404, {
          code: 'SLUICE_LIST_ENTRY_UNKNOWN',
          field: 'value',
          message: 'the list has no such entry',
        });
      }
      return answerJson(reply, 200, JSON.stringify(entry));
    },
    putListEntry: (request, reply) =>
      changeList(request, reply, { action: 'put', ...parseSteering(listEntryChange, request.body) }),
    deleteListEntry: (request, reply) =>
      changeList(request, reply, {
        action: 'delete',
        expiresAtMs: null,
        reason: queryText(request, 'reason', MAX_REASON_LENGTH) ?? '',
      }),
    publish: async (request, reply) => {
      const sender = senderOf(request.apiKey, request.headers['content-type']);
      const refusal = await gateway.publish(parseSteering(publicationRequest, request.body), sender);
      if (refusal !== null) throw publicationError(refusal);
      return answerJson(reply, 202, JSON.stringify(gateway.publication()));
    },
    publication: (_request, reply) => answerJson(reply, 200, JSON.stringify(gateway.publication())),
    cancelPublication: (_request, reply) => answerJson(reply, 200, JSON.stringify(gateway.cancelPublication())),
    posture: (_request, reply) => answerJson(reply, 200, JSON.stringify(gateway.posture())),
    setPosture: async (request, reply) =>
      answerAccepted(
        reply,
        await gateway.setPosture(
          parseSteering(postureChange, request.body),
          senderOf(request.apiKey, request.headers['content-type']),
        ),
      ),
  };
}

function listValue(request: FastifyRequest): string {
  const value = pathParameter(request, 'value');
  if (value.length === 0 || value.length > MAX_VALUE_LENGTH) throw invalid('value', 'must have 1 to 64 characters');
  return value;
}

function invalid(field: string, message: string): HttpError {
  return new HttpError(400, { code: 'SLUICE_INPUT_INVALID', field, message });
}
