import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib';
import type { ClickHouseException } from './exception.ts';

/** Counts for X-ClickHouse-Summary. */
export interface Summary {
  readonly readRows: number;
  readonly readBytes: number;
  readonly writtenRows: number;
  readonly writtenBytes: number;
  readonly resultBytes: number;
  readonly elapsedSeconds: number;
}

export const emptySummary: Summary = {
  readRows: 0,
  readBytes: 0,
  writtenRows: 0,
  writtenBytes: 0,
  resultBytes: 0,
  elapsedSeconds: 0,
};

/** One response in the manner of ClickHouse's HTTP interface. Headers wait until the first bytes or the error. */
export class ResponseWriter {
  readonly #response: ServerResponse;
  readonly #timezone: string;
  readonly #encoding: string | undefined;
  readonly #exceptionTag = randomBytes(8).toString('hex');
  #queryId: string;
  #body: Writable | undefined;

  constructor(response: ServerResponse, timezone: string, queryId: string, acceptEncoding: string | undefined) {
    this.#response = response;
    this.#timezone = timezone;
    this.#queryId = queryId;
    this.#encoding = acceptEncoding === undefined ? undefined : chooseEncoding(acceptEncoding);
  }

  get isStarted(): boolean {
    return this.#body !== undefined;
  }

  set queryId(queryId: string) {
    this.#queryId = queryId;
  }

  /** Sends the headers. `length`: of the uncompressed body, when known. */
  start(format: string, summary: Summary, length: number | undefined): void {
    const headers = this.#commonHeaders(summary);
    headers['Content-Type'] = contentTypes.get(format.toLowerCase()) ?? 'application/octet-stream';
    headers['X-ClickHouse-Format'] = format;
    headers['X-ClickHouse-Exception-Tag'] = this.#exceptionTag;
    if (this.#encoding === undefined || length === 0) {
      if (length !== undefined) headers['Content-Length'] = String(length);
      this.#response.writeHead(200, headers);
      this.#body = this.#response;
      return;
    }
    headers['Content-Encoding'] = this.#encoding;
    this.#response.writeHead(200, headers);
    const compressor = createCompressor(this.#encoding);
    compressor.pipe(this.#response);
    this.#response.on('close', () => compressor.destroy());
    this.#body = compressor;
  }

  /** Waits while the client is slower than the engine. */
  async write(bytes: Uint8Array): Promise<void> {
    const body = this.#started();
    if (this.#response.destroyed || body.write(bytes)) return;
    const waiting = new AbortController();
    const { signal } = waiting;
    await Promise.race([once(body, 'drain', { signal }), once(this.#response, 'close', { signal })]).finally(() => {
      waiting.abort();
    });
  }

  end(): void {
    this.#started().end();
  }

  /** A complete response. */
  send(format: string, bytes: Uint8Array, summary: Summary): void {
    this.start(format, summary, bytes.length);
    const body = this.#started();
    if (bytes.length > 0) body.write(bytes);
    body.end();
  }

  /** An error before the first byte is a status; one behind it is a trailer that clients look for by the tag. */
  fail(error: ClickHouseException, version: string): void {
    const text = `${error.message} (version ${version})\n`;
    if (this.#response.destroyed) return;
    if (this.#body !== undefined) {
      const size = Buffer.byteLength(text);
      const tag = this.#exceptionTag;
      this.#body.end(`\r\n__exception__\r\n${tag}\r\n${text}${String(size)} ${tag}\r\n__exception__\r\n`);
      return;
    }
    const headers = this.#commonHeaders(emptySummary);
    headers['Content-Type'] = 'text/plain; charset=UTF-8';
    headers['X-ClickHouse-Exception-Code'] = String(error.code);
    if (error.httpStatus === 401) headers['WWW-Authenticate'] = 'Basic realm="ClickHouse server HTTP API"';
    // What is left of the request's body is not worth reading: the connection goes with the answer.
    if (!this.#response.req.complete) headers['Connection'] = 'close';
    this.#response.writeHead(error.httpStatus, headers);
    this.#response.end(text);
  }

  #started(): Writable {
    if (this.#body === undefined) throw new Error('The response has not been started');
    return this.#body;
  }

  #commonHeaders(summary: Summary): Record<string, string> {
    return {
      'X-ClickHouse-Server-Display-Name': 'sluice',
      'X-ClickHouse-Query-Id': this.#queryId,
      'X-ClickHouse-Timezone': this.#timezone,
      'X-ClickHouse-Summary': JSON.stringify({
        read_rows: String(summary.readRows),
        read_bytes: String(summary.readBytes),
        written_rows: String(summary.writtenRows),
        written_bytes: String(summary.writtenBytes),
        total_rows_to_read: String(summary.readRows),
        result_rows: String(summary.writtenRows),
        result_bytes: String(summary.resultBytes),
        elapsed_ns: String(Math.round(summary.elapsedSeconds * 1e9)),
      }),
    };
  }
}

function chooseEncoding(acceptEncoding: string): string | undefined {
  const accepted = new Set(
    acceptEncoding
      .toLowerCase()
      .split(',')
      .map((part) => part.split(';')[0]?.trim()),
  );
  return ['gzip', 'deflate', 'br'].find((name) => accepted.has(name));
}

function createCompressor(encoding: string): Writable & NodeJS.ReadableStream & { destroy(): unknown } {
  // Fast levels: both ends are on this machine.
  if (encoding === 'gzip') return createGzip({ level: 1 });
  if (encoding === 'deflate') return createDeflate({ level: 1 });
  return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 2 } });
}

const contentTypes = new Map<string, string>([
  ['tabseparated', 'text/tab-separated-values; charset=UTF-8'],
  ['tsv', 'text/tab-separated-values; charset=UTF-8'],
  ['tabseparatedwithnames', 'text/tab-separated-values; charset=UTF-8; header=present'],
  ['tsvwithnames', 'text/tab-separated-values; charset=UTF-8; header=present'],
  ['tabseparatedwithnamesandtypes', 'text/tab-separated-values; charset=UTF-8; header=present'],
  ['csv', 'text/csv; charset=UTF-8; header=absent'],
  ['csvwithnames', 'text/csv; charset=UTF-8; header=present'],
  ['csvwithnamesandtypes', 'text/csv; charset=UTF-8; header=present'],
  ['json', 'application/json; charset=UTF-8'],
  ['jsoncompact', 'application/json; charset=UTF-8'],
  ['jsonstrings', 'application/json; charset=UTF-8'],
  ['jsoneachrow', 'application/x-ndjson; charset=UTF-8'],
  ['jsoncompacteachrow', 'application/x-ndjson; charset=UTF-8'],
  ['xml', 'application/xml; charset=UTF-8'],
  ['pretty', 'text/plain; charset=UTF-8'],
  ['prettycompact', 'text/plain; charset=UTF-8'],
  ['vertical', 'text/plain; charset=UTF-8'],
  ['markdown', 'text/markdown; charset=UTF-8'],
]);
