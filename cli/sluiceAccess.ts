import { Option, type Command } from 'commander';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
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

/** Asks a running Sluice; what it refuses is told to the user. */
export async function getFromSluice<T>(options: SluiceAccessOptions, path: string, shape: z.ZodType<T>): Promise<T> {
  const url = options.url ?? (await deployedUrl(options.config));
  const { key } = options;
  let response: Response;
  try {
    response = await fetch(
      new URL(path, url),
      key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } },
    );
  } catch {
    throw new UserError(`No Sluice answers at ${url}: start it (sluice up), or give its address with --url.`);
  }
  const json: unknown = await response.json().catch(() => null);
  const answer = shape.safeParse(json);
  if (response.ok && answer.success) return answer.data;
  const refused = REPLY_SCHEMAS.Error.safeParse(json);
  if (!refused.success) throw new UserError(`What answers at ${url} is no Sluice of this version.`);
  if (response.status === 401 && key === undefined)
    throw new UserError('Give an API key: --key sk_..., or in SLUICE_API_KEY.');
  const { code, message } = refused.data.error;
  throw new UserError(`Refused: ${message} [${code}]`);
}

async function deployedUrl(config: string): Promise<string> {
  const { host, port } = (await requireDeployment(config)).settings.http;
  // Sluice that listens on all addresses is asked on this machine's own.
  return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
}
