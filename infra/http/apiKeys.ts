import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export type Role = 'gateway' | 'analyst' | 'alerting' | 'operator';

export type Permission =
  | 'transactions'
  | 'verdicts'
  | 'outcomes'
  | 'labels'
  | 'lists'
  | 'live'
  | 'readPosture'
  | 'setPosture'
  | 'readState'
  | 'readRules'
  | 'publish'
  | 'readModels'
  | 'changeModels';

/** A key as the configuration keeps it: never the key itself. */
export interface ApiKey {
  /** Names the sender in the ledger (`source`). */
  readonly id: string;
  /** SHA-256 of the whole key (`sk_...`), 64 hexadecimal digits. */
  readonly sha256: string;
  readonly role: Role;
}

const PERMISSIONS: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  gateway: new Set(['transactions', 'verdicts', 'outcomes', 'labels']),
  analyst: new Set([
    'lists',
    'labels',
    'live',
    'readPosture',
    'readState',
    'readRules',
    'publish',
    'readModels',
    'changeModels',
  ]),
  alerting: new Set(['readPosture', 'setPosture']),
  operator: new Set([
    'transactions',
    'verdicts',
    'outcomes',
    'labels',
    'lists',
    'live',
    'readPosture',
    'setPosture',
    'readState',
    'readRules',
    'publish',
    'readModels',
    'changeModels',
  ]),
};

/** A longer header is no key of ours; it is not even hashed. */
const MAX_KEY_LENGTH = 256;

export function isAllowed(role: Role, permission: Permission): boolean {
  return PERMISSIONS[role].has(permission);
}

/** A new random key and the hash to put into the configuration. 256 random bits need no slow hash. */
export function createApiKey(): { readonly key: string; readonly sha256: string } {
  const key = `sk_${randomBytes(32).toString('base64url')}`;
  return { key, sha256: sha256Of(key).toString('hex') };
}

/** The configured keys. */
export class ApiKeys {
  readonly #keys: readonly { readonly key: ApiKey; readonly digest: Buffer }[];

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map((key) => {
      if (!/^[0-9a-f]{64}$/.test(key.sha256)) {
        throw new ApiKeyError(`API key ${key.id}: sha256 must be 64 lower-case hexadecimal digits`);
      }
      return { key, digest: Buffer.from(key.sha256, 'hex') };
    });
  }

  /** The key that `Authorization: Bearer sk_...` or `X-API-Key: sk_...` carries, if it is one of ours. */
  identify(headers: IncomingHttpHeaders): ApiKey | undefined {
    const presented = presentedKey(headers);
    if (presented === undefined || presented.length > MAX_KEY_LENGTH) return undefined;
    const digest = sha256Of(presented);
    // Every hash is compared, each in constant time: how long it takes says nothing about which one matched.
    let found: ApiKey | undefined;
    for (const candidate of this.#keys) {
      if (timingSafeEqual(candidate.digest, digest)) found = candidate.key;
    }
    return found;
  }
}

export class ApiKeyError extends Error {
  readonly code = 'SLUICE_KEY_MALFORMED';
}

function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    return /^bearer /i.test(authorization) ? authorization.slice('bearer '.length).trim() : undefined;
  }
  const header = headers['x-api-key'];
  return typeof header === 'string' ? header : undefined;
}

function sha256Of(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
