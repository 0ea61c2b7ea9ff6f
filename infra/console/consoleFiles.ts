import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { packageRoot } from '../../schemas/packageRoot.ts';
import { HttpError } from '../http/httpError.ts';
import { pathParameter } from '../http/paymentRoutes.ts';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Scripts, styles and data from here only, nothing inline, no frames: text in the data stays text. */
const CONSOLE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

interface ConsoleFile {
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** Serves infra/console/static, read once at the start: no path from a request ever reaches the file system. */
export function consoleHandlers(): Readonly<
  Record<'console' | 'consoleFile', (request: FastifyRequest, reply: FastifyReply) => FastifyReply>
> {
  const files = readFiles(join(packageRoot, 'infra/console/static'));
  return {
    console: (_request, reply) => answerFile(reply, files.get('index.html')),
    consoleFile: (request, reply) => answerFile(reply, files.get(pathParameter(request, 'file'))),
  };
}

function readFiles(folder: string): ReadonlyMap<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>();
  for (const name of readdirSync(folder)) {
    const contentType = CONTENT_TYPES[extname(name)];
    if (contentType !== undefined) files.set(name, { contentType, bytes: readFileSync(join(folder, name)) });
  }
  return files;
}

function answerFile(reply: FastifyReply, file: ConsoleFile | undefined): FastifyReply {
  if (file === undefined) {
    throw new HttpError(404, { code: 'SLUICE_HTTP_ROUTE', field: null, message: 'no such file; the console is at /' });
  }
  return reply
    .header('content-type', file.contentType)
    .header('content-security-policy', CONSOLE_POLICY)
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-cache')
    .send(file.bytes);
}
