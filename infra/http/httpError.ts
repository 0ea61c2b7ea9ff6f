import type { Refusal } from '../../pipeline/gateway.ts';

/** A request that is answered with an error; thrown by handlers, answered in one place. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, refusal: Refusal, retryAfterSeconds: number | null = null) {
    super(refusal.message);
    this.name = 'HttpError';
    this.status = status;
    this.code = refusal.code;
    this.field = refusal.field;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** `{"error":{"code":"SLUICE_...","field":...,"message":...}}` */
export function errorJson(refusal: Refusal): string {
  return `{"error":${refusalJson(refusal)}}`;
}

export function refusalJson(refusal: Refusal): string {
  return JSON.stringify({ code: refusal.code, field: refusal.field, message: refusal.message });
}

/** Answers that the HTTP layer gives by itself, without the gateway. docs/errors.md lists them. */
export const HTTP_REFUSALS = {
  bodyTooLarge: {
    status: 413,
    code: 'SLUICE_HTTP_BODY_TOO_LARGE',
    message: 'the body is larger than this route takes; nothing was kept of it',
  },
  contentType: {
    status: 415,
    code: 'SLUICE_HTTP_CONTENT_TYPE',
    message: 'send Content-Type application/json, or avro/binary where the route takes it',
  },
  keyMissing: {
    status: 401,
    code: 'SLUICE_KEY_UNKNOWN',
    message: 'send a valid API key: Authorization: Bearer sk_..., or X-API-Key',
  },
  keyRole: { status: 403, code: 'SLUICE_KEY_ROLE', message: "this API key's role may not do this" },
  notFound: { status: 404, code: 'SLUICE_HTTP_ROUTE', message: 'no such route; see /docs' },
  tooMany: {
    status: 429,
    code: 'SLUICE_HTTP_TOO_MANY',
    message: 'too many requests at the same moment; nothing was written, try again',
  },
  overloaded: {
    status: 503,
    code: 'SLUICE_OVERLOADED',
    message: 'more payments come than can be decided in time; nothing was written, try again',
  },
  closing: {
    status: 503,
    code: 'SLUICE_HTTP_CLOSING',
    message: 'this instance is stopping; nothing was written, try another or try again',
  },
  badRequest: { status: 400, code: 'SLUICE_HTTP_REQUEST', message: 'the request is not well-formed HTTP' },
  timeout: { status: 408, code: 'SLUICE_HTTP_TIMEOUT', message: 'the request did not arrive in time' },
  headersTooLarge: { status: 431, code: 'SLUICE_HTTP_HEADERS', message: 'the headers are too large' },
  liveFull: {
    status: 503,
    code: 'SLUICE_LIVE_FULL',
    message: 'as many live viewers are connected as are allowed; try again later',
  },
  internal: {
    status: 500,
    code: 'SLUICE_INTERNAL',
    message: 'an unexpected error; the log has it under this x-request-id',
  },
} as const;

export type HttpRefusalName = keyof typeof HTTP_REFUSALS;

/** Seconds after which a refused client may sensibly come back. */
const RETRY_AFTER_SECONDS = 1;

/**
 * Made once, and thrown as often as it takes: under overload most requests end here, and the stack of a new error costs a sixth
 * of such a request.
 */
const ERRORS: ReadonlyMap<string, HttpError> = new Map(
  Object.entries(HTTP_REFUSALS).map(([name, { status, code, message }]) => {
    const retryable = status === 429 || status === 503;
    return [name, new HttpError(status, { code, field: null, message }, retryable ? RETRY_AFTER_SECONDS : null)];
  }),
);

export function httpError(name: HttpRefusalName): HttpError {
  const error = ERRORS.get(name);
  if (error === undefined) throw new Error(`there is no refusal ${name}`);
  return error;
}

/** A field or parameter that is not as it must be. */
export function inputInvalid(field: string, message: string): HttpError {
  return new HttpError(400, { code: 'SLUICE_INPUT_INVALID', field, message });
}
