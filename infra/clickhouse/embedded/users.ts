import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { exception } from './exception.ts';

/** `writer`: everything. `analyst`: reads tables, reaches no files and no network. */
export type Role = 'writer' | 'analyst';

export interface User {
  readonly name: string;
  readonly password: string;
  readonly role: Role;
}

/** The engine has no users, so the endpoint does. */
export class Users {
  readonly #users: ReadonlyMap<string, { readonly role: Role; readonly digest: Buffer }>;

  constructor(users: readonly User[]) {
    this.#users = new Map(users.map((user) => [user.name, { role: user.role, digest: digest(user.password) }]));
  }

  /** From X-ClickHouse-User and -Key, basic authorization, or the URL's user and password. Throws code 516. */
  authenticate(request: IncomingMessage, parameters: URLSearchParams): { readonly name: string; readonly role: Role } {
    const { name, password } = credentials(request, parameters);
    const user = this.#users.get(name);
    // Compared for unknown names too, so that the time taken does not tell which names exist.
    const isRight = timingSafeEqual(user?.digest ?? nobody, digest(password));
    if (user === undefined || !isRight) {
      throw exception(
        'AUTHENTICATION_FAILED',
        `${printable(name)}: Authentication failed: password is incorrect, or there is no user with such name`,
      );
    }
    return { name, role: user.role };
  }
}

const nobody = digest('');

function digest(password: string): Buffer {
  return createHash('sha256').update('sluice').update(password, 'utf8').digest();
}

function credentials(request: IncomingMessage, parameters: URLSearchParams): { name: string; password: string } {
  const headerUser = request.headers['x-clickhouse-user'];
  if (typeof headerUser === 'string') {
    const key = request.headers['x-clickhouse-key'];
    return { name: headerUser, password: typeof key === 'string' ? key : '' };
  }
  const basic = /^basic\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    return colon < 0 ? { name: text, password: '' } : { name: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return { name: parameters.get('user') ?? 'default', password: parameters.get('password') ?? '' };
}

function printable(name: string): string {
  return name.slice(0, 64).replaceAll(/[^\x20-\x7e]/g, '?');
}
