import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isAllowed, type ApiKeys } from './apiKeys.ts';
import type { HttpContext } from './httpContext.ts';
import { errorJson, httpError, type HttpError } from './httpError.ts';
import type { Operation } from './operation.ts';
import { OPERATIONS, type OperationId } from './operations.ts';

export type Handler = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

/** A body up to this size is read and thrown away when its request is refused, so that the connection lives on. */
const MAX_DISCARDED_BYTES = 64 * 1024;
/** How long a refused client may go on sending before its connection is cut. */
const LINGER_MS = 1000;

/** Registers one operation: its key, its bounds and its content types are checked before a byte of its body is read. */
export function addRoute(
  app: FastifyInstance,
  context: HttpContext,
  keys: ApiKeys,
  operationId: OperationId,
  handler: Handler,
): void {
  const operation: Operation = OPERATIONS[operationId];
  const { settings, admission } = context;
  const isShed = operation.refusals?.includes('overloaded') ?? false;
  const bodyLimit = operation.body === undefined ? 0 : settings[operation.body.limit];
  app.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    // Never 0, which fastify does not take: routes without a body refuse one below.
    bodyLimit: Math.max(1, bodyLimit),
    config: { operation },
    handler,
    onRequest: (request, reply, done) => {
      const { headers } = request;
      if (operation.permission !== null && settings.requireKeys) {
        const apiKey = keys.identify(headers);
        if (apiKey === undefined) {
          done(httpError('keyMissing'));
          return;
        }
        if (!isAllowed(apiKey.role, operation.permission)) {
          done(httpError('keyRole'));
          return;
        }
        request.apiKey = apiKey;
      }
      const expectedBytes = announcedBytes(request, bodyLimit);
      if (expectedBytes > bodyLimit) {
        done(httpError('bodyTooLarge'));
        return;
      }
      if (operation.body !== undefined && expectedBytes > 0) {
        if (!isContentTypeTaken(operation, headers['content-type'], headers['content-encoding'])) {
          done(httpError('contentType'));
          return;
        }
        if (admission.isFull || !admission.tryReceive(expectedBytes)) {
          done(httpError('tooMany'));
          return;
        }
        if (isShed && admission.isOverloaded(performance.now())) {
          admission.received(expectedBytes);
          done(httpError('overloaded'));
          return;
        }
        // 'close' comes in every case: answered, aborted, timed out.
        reply.raw.once('close', () => {
          admission.received(expectedBytes);
        });
      }
      done();
    },
  });
}

/**
 * Answers a request whose body has not been read, and may be large, then closes the connection. The socket stays
 * readable for a moment: closing it at once would reset it, and the client might never see the answer.
 */
export function refuseUnread(request: FastifyRequest, reply: FastifyReply, error: HttpError): boolean {
  const { raw } = request;
  if (raw.complete || !hasLargeBody(request)) return false;
  reply.hijack();
  const body = errorJson(error);
  const { socket } = raw;
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${request.id}\r\n` +
      (error.retryAfterSeconds === null ? '' : `retry-after: ${error.retryAfterSeconds}\r\n`) +
      `connection: close\r\n\r\n${body}`,
  );
  raw.resume();
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  cut.unref();
  raw.once('end', () => socket.destroySoon());
  socket.once('close', () => {
    clearTimeout(cut);
  });
  return true;
}

/** `/v1/transactions:batch` and `/v1/verdicts/{id}` in fastify's spelling: `/v1/transactions::batch`, `/v1/verdicts/:id`. */
export function fastifyPath(path: string): string {
  return path.replaceAll(':', '::').replaceAll(/\{(\w+)\}/g, ':$1');
}

function announcedBytes(request: FastifyRequest, bodyLimit: number): number {
  const { headers } = request;
  // A chunked body says no length: it is counted as the largest that may come.
  if (headers['transfer-encoding'] !== undefined) return Math.max(1, bodyLimit);
  const length = Number(headers['content-length'] ?? 0);
  return Number.isFinite(length) ? length : 0;
}

function hasLargeBody(request: FastifyRequest): boolean {
  return announcedBytes(request, Number.MAX_SAFE_INTEGER) > MAX_DISCARDED_BYTES;
}

function isContentTypeTaken(operation: Operation, contentType = '', contentEncoding = 'identity'): boolean {
  if (contentEncoding !== 'identity') return false;
  const semicolon = contentType.indexOf(';');
  const mediaType = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  return operation.body?.contentTypes.some((taken) => taken === mediaType) ?? false;
}
