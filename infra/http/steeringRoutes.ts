import type { Handler } from './addRoute.ts';
import { answerAccepted, answerJson, senderOf, type HttpContext } from './httpContext.ts';
import { publicationError } from './publicationError.ts';
import { parseSteering, postureChange, publicationRequest } from './steeringSchemas.ts';

/** The handlers of what analysts and operators change beside lists: posture, the configuration. */
export function steeringHandlers(context: HttpContext): {
  readonly posture: Handler;
  readonly setPosture: Handler;
  readonly publish: Handler;
  readonly publication: Handler;
  readonly cancelPublication: Handler;
} {
  const { gateway } = context;

  return {
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
