import type { Handler } from './addRoute.ts';
import { documentationPage } from './documentationPage.ts';
import { answerHttpError, answerJson, type HttpContext } from './httpContext.ts';
import { HttpError, httpError } from './httpError.ts';
import { openApiDocument } from './openApi.ts';

/** A viewer with this much unread is too slow and is disconnected. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** Nothing may be loaded but the page's own style. */
const DOCUMENTATION_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The handlers of what operators and their tools ask: health, metrics, documents, the live feed. */
export function operationHandlers(
  context: HttpContext,
  version: string,
): Readonly<Record<'live' | 'health' | 'readiness' | 'metrics' | 'openApi' | 'documentation', Handler>> {
  const { gateway, metrics, liveFeed, settings } = context;
  const document = openApiDocument(version, settings);
  const documentJson = JSON.stringify(document);
  const page = documentationPage(document);

  return {
    live: (_request, reply) => {
      const { raw } = reply;
      const unsubscribe = liveFeed.subscribe({
        send: (event, json) => {
          if (!raw.headersSent) {
            reply.hijack();
            raw.writeHead(200, {
              'content-type': 'text/event-stream; charset=utf-8',
              'cache-control': 'no-store',
              'x-accel-buffering': 'no',
              'x-content-type-options': 'nosniff',
            });
          }
          raw.write(`event: ${event}\ndata: ${json}\n\n`);
          return raw.writableLength <= MAX_UNREAD_BYTES;
        },
        // A viewer too slow to take what is written to it would not take a farewell either.
        end: () => {
          if (raw.writableLength > MAX_UNREAD_BYTES) raw.destroy();
          else raw.end();
        },
      });
      if (unsubscribe === undefined) throw httpError('liveFull');
      raw.once('close', unsubscribe);
      return reply;
    },
    health: (_request, reply) => answerJson(reply, 200, '{"status":"ok"}'),
    readiness: (_request, reply) => {
      const readiness = gateway.readiness();
      if (readiness.ready) {
        const { warning, posture } = readiness;
        const body = { status: 'ready', ...posture, ...(warning === null ? {} : { warning }) };
        return answerJson(reply, 200, JSON.stringify(body));
      }
      const message = readiness.reason;
      return answerHttpError(reply, new HttpError(503, { code: 'SLUICE_NOT_READY', field: null, message }));
    },
    metrics: async (_request, reply) => {
      const { contentType, text } = await metrics.exposition();
      return reply.header('content-type', contentType).header('cache-control', 'no-store').send(text);
    },
    openApi: (_request, reply) => answerJson(reply, 200, documentJson),
    documentation: (_request, reply) =>
      reply
        .header('content-type', 'text/html; charset=utf-8')
        .header('content-security-policy', DOCUMENTATION_POLICY)
        .send(page),
  };
}
