import { Option, type Command } from 'commander';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import type { Deployment } from '../infra/deployment/loadDeployment.ts';
import { requireDeployment } from './deployment.ts';
import { UserError } from './userError.ts';

/** Where a running Sluice is and with which key it is asked, for commands that talk to it. */
export interface SluiceAccessOptions {
  readonly config: string;
  readonly url?: string;
  readonly key?: string;
}

export function withSluiceOptions(command: Command): Command {
  return command
    .option('--config <folder>', 'the deployment that is running', 'config/default')
    .option('--url <url>', 'where it is running (default: host and port in sluice.yaml)')
    .addOption(new Option('--key <key>', "an analyst's or operator's API key").env('SLUICE_API_KEY'));
}

export interface SluiceQuestion<T> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly shape: z.ZodType<T>;
}

/** Nobody listens where Sluice should be. */
export class SluiceAwayError extends UserError {}

/** It takes nothing now, and says that it may be asked again. */
export class SluiceBusyError extends UserError {}

/** Asks a running Sluice; what it refuses is told to the user. */
export async function askSluice<T>(options: SluiceAccessOptions, question: SluiceQuestion<T>): Promise<T> {
  const { method, path, body, shape } = question;
  const url = options.url ?? deployedUrl(await requireDeployment(options.config));
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new UserError(`--url must be an address such as http://127.0.0.1:8080, not ${url}`, 2);
  const { key } = options;
  let response: Response;
  try {
    response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new SluiceAwayError(`No Sluice answers at ${url}: start it (sluice up), or give its address with --url.`);
  }
  const json: unknown = await response.json().catch(() => null);
  const answer = shape.safeParse(json);
  if (response.ok && answer.success) return answer.data;
  const refused = REPLY_SCHEMAS.Error.safeParse(json);
  if (!refused.success) throw new UserError(`What answers at ${url} is no Sluice of this version.`);
  if (response.status === 401 && key === undefined)
    throw new UserError('Give an API key: --key sk_..., or in SLUICE_API_KEY.');
  const { code, field, message } = refused.data.error;
  const Refused = response.headers.has('retry-after') ? SluiceBusyError : UserError;
  throw new Refused(`Refused${field === null ? '' : ` (${field})`}: ${message} [${code}]`);
}

/** Where a deployment runs, as its sluice.yaml says. */
export function deployedUrl({ settings }: Deployment): string {
  const { host, port } = settings.http;
  // Sluice that listens on all addresses is asked on this machine's own.
  return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
}
