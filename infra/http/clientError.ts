import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorJson, HTTP_REFUSALS } from './httpError.ts';
import type { HttpMetrics } from './httpMetrics.ts';

/** Answers bytes that never became a request: no HTTP, headers too large, too slow. */
export function answerClientError(error: Error & { code?: string }, socket: Socket, metrics: HttpMetrics): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { status, code, message } = refusalOf(error.code);
  metrics.clientError(code);
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = errorJson({ code, field: null, message });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function refusalOf(code: string | undefined): {
  readonly status: number;
  readonly code: string;
  readonly message: string;
} {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return HTTP_REFUSALS.timeout;
    case 'HPE_HEADER_OVERFLOW':
      return HTTP_REFUSALS.headersTooLarge;
    default:
      return HTTP_REFUSALS.badRequest;
  }
}
