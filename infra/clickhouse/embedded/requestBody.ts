import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { exception, toException } from './exception.ts';

/** Compressions that node:zlib does not know; the engine reads such files by itself. */
export type EngineCompression = 'lz4' | 'zstd';

/** Longest SQL text, in bytes. Data behind an INSERT does not count. */
export const maxSqlBytes = 1024 * 1024;
const maxMultipartBytes = 16 * 1024 * 1024;

/** The request's body as a stream of decompressed bytes, unless `engineCompression` says that it still is compressed. */
export class RequestBody {
  readonly engineCompression: EngineCompression | undefined;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #maxBytes: number;
  #seenBytes = 0;

  constructor(request: IncomingMessage, maxBytes: number) {
    const { stream, engineCompression } = decode(request);
    this.engineCompression = engineCompression;
    this.#chunks = bufferChunks(stream)[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
  }

  /** Up to about `bytes` from the front, and whether that was all. */
  async readHead(bytes: number): Promise<{ readonly head: Buffer; readonly isComplete: boolean }> {
    const parts: Buffer[] = [];
    let size = 0;
    while (size <= bytes) {
      const chunk = await this.#next();
      if (chunk === undefined) return { head: Buffer.concat(parts), isComplete: true };
      parts.push(chunk);
      size += chunk.length;
    }
    return { head: Buffer.concat(parts), isComplete: false };
  }

  /** Writes `first` and then all that is left to a new file. */
  async writeTo(path: string, first: Buffer): Promise<void> {
    const next = this.#next.bind(this);
    async function* all(): AsyncGenerator<Buffer> {
      if (first.length > 0) yield first;
      for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
    }
    await pipeline(Readable.from(all(), { objectMode: false }), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  }

  async #next(): Promise<Buffer | undefined> {
    let result: IteratorResult<Buffer>;
    try {
      result = await this.#chunks.next();
    } catch (error) {
      if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
        throw exception('INCORRECT_DATA', `Cannot decompress the request's body: ${error.message}`);
      throw toException(error);
    }
    if (result.done === true) return undefined;
    this.#seenBytes += result.value.length;
    if (this.#seenBytes > this.#maxBytes)
      throw exception('TOO_MANY_BYTES', `The request's body is larger than ${String(this.#maxBytes)} bytes`);
    return result.value;
  }
}

/** Fields of a multipart/form-data body: `query`, `param_…` and settings. */
export async function readMultipart(body: RequestBody, contentType: string): Promise<ReadonlyMap<string, string>> {
  const { head, isComplete } = await body.readHead(maxMultipartBytes);
  if (!isComplete) throw exception('TOO_MANY_BYTES', 'The multipart body is too large');
  let form: FormData;
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- meant for unbounded uploads; this body is whole and bounded
    form = await new Response(head, { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw exception('BAD_ARGUMENTS', 'The multipart body is malformed');
  }
  const fields = new Map<string, string>();
  for (const [name, value] of form) {
    if (typeof value !== 'string') throw exception('NOT_IMPLEMENTED', 'External tables are not supported');
    fields.set(name, value);
  }
  return fields;
}

function decode(request: IncomingMessage): {
  readonly stream: Readable;
  readonly engineCompression: EngineCompression | undefined;
} {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  switch (encoding) {
    case '':
    case 'identity':
      return { stream: request, engineCompression: undefined };
    case 'gzip':
    case 'x-gzip':
      return { stream: piped(request, createGunzip()), engineCompression: undefined };
    case 'deflate':
      return { stream: piped(request, createInflate()), engineCompression: undefined };
    case 'br':
      return { stream: piped(request, createBrotliDecompress()), engineCompression: undefined };
    case 'lz4':
    case 'zstd':
      return { stream: request, engineCompression: encoding };
    default:
      throw exception('BAD_ARGUMENTS', `Unknown Content-Encoding ${encoding.slice(0, 32)}`);
  }
}

function piped(request: IncomingMessage, transform: Readable & NodeJS.WritableStream): Readable {
  request.on('error', (error) => transform.destroy(error));
  request.on('close', () => {
    if (!request.complete) transform.destroy(new Error('The client went away'));
  });
  request.pipe(transform);
  return transform;
}

async function* bufferChunks(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    const bytes: unknown = chunk;
    if (!(bytes instanceof Uint8Array)) throw new TypeError('A request streams bytes');
    yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
