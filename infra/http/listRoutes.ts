import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ListChangeRequest } from '../../pipeline/listKeeping.ts';
import type { Handler } from './addRoute.ts';
import { answerAccepted, answerJson, senderOf, type HttpContext } from './httpContext.ts';
import { HttpError, inputInvalid } from './httpError.ts';
import { pathParameter } from './paymentRoutes.ts';
import { MAX_CURSOR_LENGTH, pageLimit, queryText } from './queryParameters.ts';
import {
  listChange,
  listCheck,
  listEntryChange,
  MAX_REASON_LENGTH,
  MAX_VALUE_LENGTH,
  parseSteering,
} from './steeringSchemas.ts';

/** The handlers of those who keep lists. */
export function listHandlers({
  gateway,
}: HttpContext): Readonly<
  Record<
    'lists' | 'checkLists' | 'listEntries' | 'changeListEntries' | 'listEntry' | 'putListEntry' | 'deleteListEntry',
    Handler
  >
> {
  function knownList(request: FastifyRequest): string {
    const list = pathParameter(request, 'list');
    if (!gateway.lists.summaries().some((known) => known.name === list)) {
      throw new HttpError(404, {
        code: 'SLUICE_LIST_UNKNOWN',
        field: 'list',
        message: 'sluice.yaml declares no list of this name',
      });
    }
    return list;
  }

  async function change(
    request: FastifyRequest,
    reply: FastifyReply,
    asked: () => Omit<ListChangeRequest, 'list'>,
  ): Promise<FastifyReply> {
    const sender = senderOf(request.apiKey, request.headers['content-type']);
    return answerAccepted(reply, await gateway.lists.change({ list: knownList(request), ...asked() }, sender));
  }

  return {
    lists: (_request, reply) => answerJson(reply, 200, JSON.stringify({ lists: gateway.lists.summaries() })),
    checkLists: (request, reply) => {
      const { value } = parseSteering(listCheck, request.body);
      return answerJson(reply, 200, JSON.stringify({ hits: gateway.lists.check(value) }));
    },
    listEntries: (request, reply) => {
      const list = knownList(request);
      const page = gateway.lists.page(list, queryText(request, 'after', MAX_CURSOR_LENGTH), pageLimit(request));
      if (page === undefined) throw inputInvalid('after', 'must be the `next` of the page before');
      return answerJson(reply, 200, JSON.stringify({ list, ...page }));
    },
    changeListEntries: (request, reply) => change(request, reply, () => parseSteering(listChange, request.body)),
    listEntry: (request, reply) => {
      const entry = gateway.lists.find(knownList(request), listValue(request));
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
      change(request, reply, () => {
        const entries = [{ value: listValue(request) }];
        return { action: 'put', ...parseSteering(listEntryChange, request.body), entries };
      }),
    deleteListEntry: (request, reply) =>
      change(request, reply, () => {
        const reason = queryText(request, 'reason', MAX_REASON_LENGTH);
        if (reason === null) throw inputInvalid('reason', 'is required: say why');
        return { action: 'delete', reason, expiresAtMs: null, entries: [{ value: listValue(request) }] };
      }),
  };
}

function listValue(request: FastifyRequest): string {
  const value = pathParameter(request, 'value');
  if (value.length === 0 || value.length > MAX_VALUE_LENGTH)
    throw inputInvalid('value', `must have 1 to ${MAX_VALUE_LENGTH} characters`);
  return value;
}
