import type { Handler } from './addRoute.ts';
import { answerAccepted, answerJson, senderOf, type HttpContext } from './httpContext.ts';
import { inputInvalid } from './httpError.ts';
import { MAX_CURSOR_LENGTH, pageLimit, queryText } from './queryParameters.ts';
import { parseSteering, snooze, snoozeEnd } from './steeringSchemas.ts';

/** The handlers of those who snooze rules. */
export function snoozeHandlers({
  gateway,
}: HttpContext): Readonly<Record<'snoozes' | 'addSnooze' | 'endSnooze', Handler>> {
  return {
    snoozes: (request, reply) => {
      const page = gateway.snoozes.page(queryText(request, 'after', MAX_CURSOR_LENGTH), pageLimit(request));
      if (page === undefined) throw inputInvalid('after', 'must be the `next` of the page before');
      return answerJson(reply, 200, JSON.stringify(page));
    },
    addSnooze: async (request, reply) => {
      const sender = senderOf(request.apiKey, request.headers['content-type']);
      return answerAccepted(reply, await gateway.snoozes.add(parseSteering(snooze, request.body), sender));
    },
    endSnooze: async (request, reply) => {
      const sender = senderOf(request.apiKey, request.headers['content-type']);
      return answerAccepted(reply, await gateway.snoozes.end(parseSteering(snoozeEnd, request.body), sender));
    },
  };
}
