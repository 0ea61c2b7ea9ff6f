import { createHash } from 'node:crypto';

/**
 * JSON with sorted keys and no spaces, so that equal content has equal bytes and one hash. Fields that are undefined
 * are left out. Throws TypeError on what JSON cannot hold (NaN, infinity, functions, bigint).
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (Number.isFinite(value)) return JSON.stringify(value);
      break;
    case 'object': {
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
      const fields = Object.entries(value)
        .filter(([, field]) => field !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
      return `{${fields.join(',')}}`;
    }
    default:
  }
  throw new TypeError(`canonical JSON cannot hold ${String(value)}`);
}

/** SHA-256 of UTF-8 text, hexadecimal. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
