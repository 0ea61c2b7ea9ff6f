import { isUtf8 } from 'node:buffer';
import type { SchemaTypes } from './codec.ts';
import { compileInput, FAILED, Fault } from './compileInput.ts';
import type { Build, InputError } from './compileInput.ts';
import { schemaRegistry } from './registry.ts';

export type { InputError, InputErrorCode } from './compileInput.ts';

/** Records that come from outside and are parsed at the border. */
export type InputName = 'gatewayTransaction' | 'outcome' | 'label' | 'listChange' | 'posture' | 'transaction';

declare const validated: unique symbol;
/** A value that has been checked against its schema and all its bounds. Only this file makes one. */
export type Validated<T> = T & { readonly [validated]: true };

export type ParseResult<T> =
  { readonly ok: true; readonly value: Validated<T> } | ({ readonly ok: false } & InputError);

/** Deepest nesting of JSON input. The schemas need 3, an array around them one more. */
export const MAX_JSON_DEPTH = 16;

/**
 * Checks a JSON value against the schema and its bounds, and fills optional fields: the result has every field, absent
 * ones null or their default. Fields the schema does not have are refused, so that a misspelt name is never silent.
 */
export function parseJson<Name extends InputName>(name: Name, value: unknown): ParseResult<SchemaTypes[Name]> {
  const fault = new Fault();
  const built = builders[name](value, fault);
  if (isAccepted<SchemaTypes[Name]>(built, fault)) return { ok: true, value: built };
  return { ok: false, ...fault.error() };
}

/** The same for JSON text in UTF-8, as it came over the wire. */
export function parseJsonText<Name extends InputName>(name: Name, bytes: Uint8Array): ParseResult<SchemaTypes[Name]> {
  const text = parseJsonBytes(bytes);
  return text.ok ? parseJson(name, text.value) : text;
}

/** Parses JSON text of bounded nesting without looking at its content. */
export function parseJsonBytes(
  bytes: Uint8Array,
): { readonly ok: true; readonly value: unknown } | ({ readonly ok: false } & InputError) {
  if (!isUtf8(bytes)) return notJson('expected JSON in UTF-8');
  if (isNestedDeeperThan(MAX_JSON_DEPTH, bytes)) {
    return notJson(`expected JSON nested at most ${MAX_JSON_DEPTH} levels deep`);
  }
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return { ok: true, value };
  } catch {
    // The parser's own message quotes the text, which may hold a card number.
    return notJson('expected valid JSON');
  }
}

/** The bounds that Avro does not know, on a value decoded from Avro: the same checks and errors as for JSON. */
export function checkBounds<Name extends InputName>(
  name: Name,
  value: SchemaTypes[Name],
): ParseResult<SchemaTypes[Name]> {
  return parseJson(name, value);
}

/** The builders make what the schema says, and types.ts is generated from the same schema. */
function isAccepted<T>(built: unknown, fault: Fault): built is Validated<T> {
  return built !== FAILED && fault.code === null;
}

function notJson(message: string): { readonly ok: false } & InputError {
  return { ok: false, code: 'SLUICE_INPUT_JSON', field: null, message };
}

function isNestedDeeperThan(limit: number, bytes: Uint8Array): boolean {
  let depth = 0;
  let isInString = false;
  for (let position = 0; position < bytes.length; position += 1) {
    const byte = bytes[position];
    if (byte === 0x22) isInString = !isInString;
    else if (isInString) {
      if (byte === 0x5c) position += 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return false;
}

function builder(fullName: string): Build {
  return compileInput(schemaRegistry.current(fullName).schema);
}

const builders: { readonly [Name in InputName]: Build } = {
  gatewayTransaction: builder('io.sluice.GatewayTransaction'),
  outcome: builder('io.sluice.Outcome'),
  label: builder('io.sluice.Label'),
  listChange: builder('io.sluice.ListChange'),
  posture: builder('io.sluice.Posture'),
  transaction: builder('io.sluice.Transaction'),
};
