/**
 * An error as ClickHouse's HTTP interface words it: a numeric code, a name and
 * `Code: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE)`. Clients parse that text.
 * Codes and names: src/Common/ErrorCodes.cpp of ClickHouse.
 */
const codes = {
  NOT_IMPLEMENTED: 48,
  UNKNOWN_FORMAT: 73,
  SYNTAX_ERROR: 62,
  BAD_ARGUMENTS: 36,
  INCORRECT_DATA: 117,
  READONLY: 164,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  TIMEOUT_EXCEEDED: 159,
  NETWORK_ERROR: 210,
  NOT_ENOUGH_SPACE: 243,
  TOO_MANY_BYTES: 307,
  SUPPORT_IS_DISABLED: 344,
  SESSION_NOT_FOUND: 372,
  SESSION_IS_LOCKED: 373,
  TOO_MANY_ROWS_OR_BYTES: 396,
  ACCESS_DENIED: 497,
  AUTHENTICATION_FAILED: 516,
  ABORTED: 236,
  STD_EXCEPTION: 1001,
} as const;

export type ExceptionName = keyof typeof codes;

export class ClickHouseException extends Error {
  readonly code: number;
  readonly httpStatus: number;

  constructor(code: number, text: string) {
    super(text);
    this.name = 'ClickHouseException';
    this.code = code;
    this.httpStatus = httpStatusOf(code);
  }
}

/** One of the endpoint's own errors, worded like the engine's. */
export function exception(name: ExceptionName, message: string): ClickHouseException {
  return new ClickHouseException(codes[name], `Code: ${String(codes[name])}. DB::Exception: ${message}. (${name})`);
}

/** What the engine threw, or anything else that went wrong, as an exception with a code. */
export function toException(error: unknown): ClickHouseException {
  if (error instanceof ClickHouseException) return error;
  const message = error instanceof Error ? error.message : String(error);
  const match = /^Code: (\d+)\. /.exec(message);
  if (match?.[1] !== undefined) return new ClickHouseException(Number(match[1]), message.trimEnd());
  return exception('STD_EXCEPTION', message.trimEnd());
}

/** As in ClickHouse's exceptionCodeToHTTPStatus: what a client got wrong is 4xx, the rest 500. */
function httpStatusOf(code: number): number {
  const status = statuses.get(code);
  return status ?? 500;
}

const statuses = new Map<number, number>([
  ...[516, 193, 192, 497, 164, 291].map((code) => [code, 403] as const),
  ...[194].map((code) => [code, 401] as const),
  ...[26, 27, 36, 38, 41, 42, 43, 53, 62, 63, 70, 72, 73, 115, 117, 344, 372, 373, 456, 457, 469].map(
    (code) => [code, 400] as const,
  ),
  ...[46, 47, 60, 81].map((code) => [code, 404] as const),
  ...[191, 223, 307].map((code) => [code, 413] as const),
  ...[48].map((code) => [code, 501] as const),
  ...[202, 209, 439].map((code) => [code, 503] as const),
  ...[159].map((code) => [code, 408] as const),
]);
