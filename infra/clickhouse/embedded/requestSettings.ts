import { exception } from './exception.ts';

/** What a request's URL (and multipart fields) ask for, apart from the SQL. */
export interface RequestSettings {
  readonly query: string;
  readonly queryId: string | null;
  readonly database: string | null;
  readonly defaultFormat: string | null;
  readonly sessionId: string | null;
  readonly sessionTimeoutSeconds: number;
  readonly isSessionRequired: boolean;
  /** The client wants the whole result or an error, never half a result. */
  readonly waitEndOfQuery: boolean;
  readonly compressResponse: boolean;
  /** Settings and `param_…` for SET. */
  readonly settings: ReadonlyMap<string, string>;
}

/** Parameters of the HTTP interface that are no settings of the engine, or that mean nothing to this one. */
const httpOnly = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'session_id',
  'session_timeout',
  'session_check',
  'user',
  'password',
  'wait_end_of_query',
  'buffer_size',
  'enable_http_compression',
  'http_zlib_compression_level',
  'client_protocol_version',
  'role',
  'quota_key',
  'stacktrace',
  'close_session',
  'log_comment',
  'compress',
  'decompress',
  'cancel_http_readonly_queries_on_client_close',
]);

const defaultSessionTimeoutSeconds = 60;
const maxSessionTimeoutSeconds = 3600;
const maxSettings = 1000;
const maxNameLength = 128;

export function parseRequestSettings(
  parameters: URLSearchParams,
  fields: ReadonlyMap<string, string>,
): RequestSettings {
  const all = new Map<string, string>([...parameters, ...fields]);
  // ClickHouse's own block compression with CityHash checksums, which only its JDBC and native tools speak.
  if (isOn(all.get('compress')) || isOn(all.get('decompress')))
    throw exception(
      'SUPPORT_IS_DISABLED',
      "compress=1 and decompress=1 (ClickHouse's native compression) are not supported here: use compress=0, or gzip by Accept-Encoding",
    );
  const settings = new Map<string, string>();
  for (const [name, value] of all) {
    if (httpOnly.has(name) || name.startsWith('send_progress_') || name.startsWith('http_headers_')) continue;
    if (!/^[A-Za-z_][A-Za-z0-9_.]*$/.test(name) || name.length > maxNameLength)
      throw exception('BAD_ARGUMENTS', 'A setting has a malformed name');
    settings.set(name, value);
  }
  if (settings.size > maxSettings) throw exception('BAD_ARGUMENTS', 'Too many settings');
  return {
    query: all.get('query') ?? '',
    queryId: all.get('query_id') ?? null,
    database: all.get('database') ?? null,
    defaultFormat: all.get('default_format') ?? null,
    sessionId: all.get('session_id') ?? null,
    sessionTimeoutSeconds: sessionTimeout(all.get('session_timeout')),
    isSessionRequired: isOn(all.get('session_check')),
    waitEndOfQuery: isOn(all.get('wait_end_of_query')),
    compressResponse: isOn(all.get('enable_http_compression')),
    settings,
  };
}

function isOn(value: string | undefined): boolean {
  return value === '1' || value?.toLowerCase() === 'true';
}

function sessionTimeout(value: string | undefined): number {
  if (value === undefined) return defaultSessionTimeoutSeconds;
  const seconds = Number(value);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxSessionTimeoutSeconds)
    throw exception(
      'BAD_ARGUMENTS',
      `session_timeout must be between 1 and ${String(maxSessionTimeoutSeconds)} seconds`,
    );
  return seconds;
}
