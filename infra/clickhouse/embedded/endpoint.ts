import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AnalystPolicy } from './analystPolicy.ts';
import { Engine, type EngineOptions } from './engine.ts';
import { exception, toException } from './exception.ts';
import { engineFileDecoder, prepareQuery } from './preparedQuery.ts';
import { QueryExecutor } from './queryExecutor.ts';
import { QueryLimiter } from './queryLimiter.ts';
import { readMultipart, RequestBody } from './requestBody.ts';
import { parseRequestSettings } from './requestSettings.ts';
import { ResponseWriter } from './responseWriter.ts';
import { Sessions } from './sessions.ts';
import type { Spool } from './spool.ts';
import type { Statement } from './statement.ts';
import { Users, type Role, type User } from './users.ts';

export interface EndpointOptions extends EngineOptions {
  readonly port: number;
  readonly users: readonly User[];
  readonly maxBodyBytes: number;
  readonly maxResultBytes: number;
}

/** The engine's threads are libuv's (UV_THREADPOOL_SIZE); file reads and KILL need some of them too. */
export const threadPoolSize = 16;
const maxRunning = { writer: 6, analyst: 6 } as const;
const maxWaiting = 64;
const maxConnections = 256;
const keepAliveMs = 30_000;

/** ClickHouse's HTTP interface in front of the engine in this process, on 127.0.0.1. */
export class Endpoint {
  readonly #engine: Engine;
  readonly #spool: Spool;
  readonly #users: Users;
  readonly #sessions: Sessions;
  readonly #executor: QueryExecutor;
  readonly #limiters: Record<Role, QueryLimiter>;
  readonly #options: EndpointOptions;
  readonly #version: string;
  readonly #timezone: string;
  readonly #server: Server;

  private constructor(
    engine: Engine,
    spool: Spool,
    policy: AnalystPolicy,
    server: { readonly version: string; readonly timezone: string },
    options: EndpointOptions,
  ) {
    this.#engine = engine;
    this.#spool = spool;
    this.#options = options;
    this.#version = server.version;
    this.#timezone = server.timezone;
    this.#users = new Users(options.users);
    this.#sessions = new Sessions(engine);
    this.#executor = new QueryExecutor(engine, this.#sessions, spool, policy, options);
    this.#limiters = {
      writer: new QueryLimiter(maxRunning.writer, maxWaiting),
      analyst: new QueryLimiter(maxRunning.analyst, maxWaiting),
    };
    this.#server = createServer((request, response) => {
      void this.#handle(request, response);
    });
    // A query may take longer than any fixed time; slow headers are still cut off.
    this.#server.requestTimeout = 0;
    this.#server.keepAliveTimeout = keepAliveMs;
    this.#server.maxConnections = maxConnections;
  }

  /** Opens the data folder and listens. Rejects with ClickHouseException, or with node's EADDRINUSE. */
  static async open(options: EndpointOptions, openSpool: () => Spool): Promise<Endpoint> {
    const engine = new Engine(options);
    const connection = engine.connect();
    try {
      const answer = await connection.query('SELECT version(), timezone()', 'TSV');
      const [version = '', timezone = 'UTC'] = Buffer.from(answer.bytes).toString('utf8').trim().split('\t');
      const policy = await AnalystPolicy.load(connection);
      const endpoint = new Endpoint(engine, openSpool(), policy, { version, timezone }, options);
      await endpoint.#listen();
      return endpoint;
    } finally {
      connection.close();
    }
  }

  get port(): number {
    return addressOf(this.#server).port;
  }

  /** Lets running requests finish for `graceMs`, then cuts their connections. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      this.#server.closeAllConnections();
    }, graceMs);
    await closed;
    clearTimeout(timer);
    this.#sessions.closeIdle();
    this.#engine.close();
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = parseUrl(request.url);
    if (url.pathname === '/ping' || url.pathname === '/replicas_status') {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8' }).end('Ok.\n');
      return;
    }
    const encodings = url.searchParams.get('enable_http_compression') === '1' ? request.headers['accept-encoding'] : '';
    const queryId = url.searchParams.get('query_id') ?? randomUUID();
    const writer = new ResponseWriter(response, this.#timezone, headerSafe(queryId), encodings);
    const files: string[] = [];
    try {
      await this.#answer(request, response, url, writer, files);
    } catch (error) {
      writer.fail(toException(error), this.#version);
    } finally {
      await Promise.all(files.map((file) => this.#spool.remove(file)));
    }
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    writer: ResponseWriter,
    files: string[],
  ): Promise<void> {
    const user = this.#users.authenticate(request, url.searchParams);
    if (url.pathname !== '/' && url.pathname !== '/query')
      throw exception('BAD_ARGUMENTS', 'There is no handle here: use /, /query or /ping');
    const method = request.method ?? 'GET';
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST')
      throw exception('NOT_IMPLEMENTED', `Method ${method} is not supported: use POST or GET`);
    const isReadOnly = method !== 'POST';
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort();
    });

    const body = isReadOnly ? undefined : new RequestBody(request, this.#options.maxBodyBytes);
    const contentType = request.headers['content-type'] ?? '';
    const isMultipart = body !== undefined && /^multipart\/form-data\b/i.test(contentType);
    const fields = isMultipart ? await readMultipart(body, contentType) : new Map<string, string>();
    const settings = parseRequestSettings(url.searchParams, fields);
    const headerFormat = request.headers['x-clickhouse-format'];
    const defaultFormat = settings.defaultFormat ?? (typeof headerFormat === 'string' ? headerFormat : 'TabSeparated');
    const decodeFile = engineFileDecoder(() => this.#engine.connect());
    const refuse = (statement: Statement): void => {
      refuseWrite(statement, user.role, isReadOnly);
    };
    const prepared = await prepareQuery(
      settings.query,
      isMultipart ? undefined : body,
      this.#spool,
      decodeFile,
      files,
      refuse,
    );

    const leave = await this.#limiters[user.role].enter();
    try {
      if (gone.signal.aborted) return;
      await this.#executor.run({
        user,
        isReadOnly,
        prepared,
        settings,
        defaultFormat,
        writer,
        signal: gone.signal,
        files,
      });
    } finally {
      leave();
    }
  }
}

/** Before any data is taken in. */
function refuseWrite(statement: Statement, role: Role, isReadOnly: boolean): void {
  if (statement.kind !== 'insertData' && statement.kind !== 'insertSelect') return;
  if (role === 'analyst') throw exception('READONLY', 'Cannot execute INSERT in readonly mode');
  if (isReadOnly)
    throw exception(
      'READONLY',
      'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries',
    );
}

/** A path that URL cannot parse gets the answer of an unknown one. */
function parseUrl(text: string | undefined): URL {
  const path = text ?? '/';
  return new URL(URL.canParse(path, base) ? path : '/unparsable', base);
}

const base = 'http://127.0.0.1';

function headerSafe(text: string): string {
  return text.slice(0, 256).replaceAll(/[^\x20-\x7e]/g, '?');
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server does not listen');
  return address;
}
