import type { AvroField, AvroRecord, AvroType } from './avroSchema.ts';
import { isUnion, nonNullBranch } from './avroSchema.ts';

export type InputErrorCode =
  /** Not JSON at all, or nested too deep. */
  | 'SLUICE_INPUT_JSON'
  /** A required field is absent or null. */
  | 'SLUICE_INPUT_MISSING'
  /** A field that the schema does not have. */
  | 'SLUICE_INPUT_UNKNOWN_FIELD'
  /** A value of another type. */
  | 'SLUICE_INPUT_TYPE'
  /** A value out of bounds: too long, too great, not of the pattern, not one of the symbols. */
  | 'SLUICE_INPUT_BOUNDS';

export interface InputError {
  readonly code: InputErrorCode;
  /** Path of the field at fault, e.g. card.pan; null for the input as a whole. */
  readonly field: string | null;
  /** What is expected there. Never repeats the value. */
  readonly message: string;
}

/** A copy of `value` as its schema wants it, or FAILED with the reason in `fault`. */
export type Build = (value: unknown, fault: Fault) => unknown;

export const FAILED = Symbol('failed');

/** Where and why a value was refused. The path is put together from the inside out. */
export class Fault {
  #code: InputErrorCode | null = null;
  #path = '';
  #message = '';

  set(code: InputErrorCode, message: string): typeof FAILED {
    this.#code = code;
    this.#message = message;
    return FAILED;
  }

  inside(segment: string): typeof FAILED {
    this.#path = this.#path === '' ? segment : `${segment}.${this.#path}`;
    return FAILED;
  }

  get code(): InputErrorCode | null {
    return this.#code;
  }

  error(): InputError {
    return {
      code: this.#code ?? 'SLUICE_INPUT_TYPE',
      field: this.#path === '' ? null : this.#path,
      message: this.#message,
    };
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A name chosen by the sender, fit to be shown: anything else could carry a card number into an error reply. Twelve
 * digits are the shortest card number.
 */
export function printableName(name: string): string {
  const isPlain = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name) && name.replace(/[^0-9]/g, '').length < 12;
  return isPlain ? name : '(name not shown)';
}

/**
 * Compiles a schema and its bounds into the function that checks and copies one input. Throws for types that input
 * records do not use.
 */
export function compileInput(schema: AvroRecord): Build {
  const fields = schema.fields.map((field) => ({
    name: field.name,
    build: buildField(field),
    isNullable: nonNullBranch(field.type) !== undefined,
    hasDefault: field.default !== undefined,
    defaultOf: defaultOf(field),
  }));
  const names: ReadonlySet<string> = new Set(fields.map((field) => field.name));
  const template: Readonly<Record<string, unknown>> = Object.fromEntries(fields.map((field) => [field.name, null]));
  return (value, fault) => {
    if (!isObject(value)) return fault.set('SLUICE_INPUT_TYPE', 'expected an object');
    // Copying a template keeps one hidden class for all results.
    const built: Record<string, unknown> = { ...template };
    let present = 0;
    for (const field of fields) {
      const given = value[field.name];
      if (given === undefined || given === null) {
        if (given === null) present += 1;
        if (field.hasDefault) built[field.name] = field.defaultOf();
        else if (given === undefined || !field.isNullable) {
          fault.set('SLUICE_INPUT_MISSING', 'this field is required');
          return firstUnknown(value, names, fault) ?? fault.inside(field.name);
        }
        continue;
      }
      present += 1;
      const part = field.build(given, fault);
      if (part === FAILED) return fault.inside(field.name);
      built[field.name] = part;
    }
    if (Object.keys(value).length !== present) return firstUnknown(value, names, fault) ?? built;
    return built;
  };
}

// Asked before a missing field is reported, too: the likeliest reason for a missing field is a misspelt one.
function firstUnknown(
  value: Readonly<Record<string, unknown>>,
  names: ReadonlySet<string>,
  fault: Fault,
): typeof FAILED | undefined {
  for (const key of Object.keys(value)) {
    if (names.has(key)) continue;
    fault.set('SLUICE_INPUT_UNKNOWN_FIELD', `there is no such field; expected only ${[...names].join(', ')}`);
    return fault.inside(printableName(key));
  }
  return undefined;
}

/** Arrays and maps get a new one each time, so that no two results share it. */
function defaultOf(field: AvroField): () => unknown {
  if (Array.isArray(field.default)) return () => [];
  if (isObject(field.default)) return () => ({});
  return () => field.default;
}

function buildField(field: AvroField): Build {
  const type = nonNullBranch(field.type) ?? field.type;
  if (isUnion(type)) throw unsupported(field, type);
  if (typeof type === 'string') {
    switch (type) {
      case 'string':
        return buildString(field);
      case 'int':
        return buildInteger(field, -(2 ** 31), 2 ** 31 - 1);
      case 'long':
        return buildInteger(field, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      case 'double':
        return buildDouble;
      case 'boolean':
        return buildBoolean;
      default:
        throw unsupported(field, type);
    }
  }
  switch (type.type) {
    case 'record':
      return compileInput(type);
    case 'enum':
      return buildEnum(type.symbols);
    case 'array':
      return buildArray(field, itemBuilder(field, type.items));
    case 'map':
      return buildAttributes(field, type.values);
  }
}

function unsupported(field: AvroField, type: AvroType): Error {
  return new Error(
    `SLUICE_SCHEMA_INVALID: field ${field.name} has a type that input parsing lacks: ${JSON.stringify(type)}`,
  );
}

function buildString(field: AvroField): Build {
  const { minLength = 0, maxLength = Number.MAX_SAFE_INTEGER } = field;
  const pattern = field.pattern === undefined ? undefined : new RegExp(field.pattern);
  const typeMessage = 'expected a string';
  const lengthMessage = `expected ${describeLength(minLength, field.maxLength)}`;
  const patternMessage = `expected text that matches ${field.pattern ?? ''}`;
  return (value, fault) => {
    if (typeof value !== 'string') return fault.set('SLUICE_INPUT_TYPE', typeMessage);
    if (value.length < minLength || value.length > maxLength) return fault.set('SLUICE_INPUT_BOUNDS', lengthMessage);
    if (!isCleanText(value)) return fault.set('SLUICE_INPUT_BOUNDS', CLEAN_TEXT_MESSAGE);
    if (pattern !== undefined && !pattern.test(value)) return fault.set('SLUICE_INPUT_BOUNDS', patternMessage);
    return value;
  };
}

function describeLength(minLength: number, maxLength: number | undefined): string {
  if (maxLength === undefined) return `at least ${minLength} characters`;
  return minLength === 0 ? `at most ${maxLength} characters` : `${minLength} to ${maxLength} characters`;
}

const CLEAN_TEXT_MESSAGE = 'expected text without control characters and unpaired surrogates';

/** No C0 or C1 controls, no DEL, no half of a surrogate pair (UTF-8 cannot carry one, so it would change on the way). */
function isCleanText(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return false;
    if (unit >= 0xd800 && unit < 0xe000) {
      const next = text.charCodeAt(index + 1);
      if (unit >= 0xdc00 || !(next >= 0xdc00 && next < 0xe000)) return false;
      index += 1;
    }
  }
  return true;
}

function buildInteger(field: AvroField, least: number, greatest: number): Build {
  const minimum = field.minimum ?? least;
  const maximum = field.maximum ?? greatest;
  const message = `expected an integer from ${minimum} to ${maximum}`;
  return (value, fault) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      return fault.set('SLUICE_INPUT_TYPE', message);
    }
    if (value < minimum || value > maximum) return fault.set('SLUICE_INPUT_BOUNDS', message);
    // Adding 0 turns -0 into 0: the two are the same amount and must be the same bytes.
    return value + 0;
  };
}

const buildDouble: Build = (value, fault) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return fault.set('SLUICE_INPUT_TYPE', 'expected a finite number');
  }
  return value + 0;
};

const buildBoolean: Build = (value, fault) =>
  typeof value === 'boolean' ? value : fault.set('SLUICE_INPUT_TYPE', 'expected true or false');

function buildEnum(symbols: readonly string[]): Build {
  const known: ReadonlySet<unknown> = new Set(symbols);
  const message = `expected one of ${symbols.join(', ')}`;
  return (value, fault) => {
    if (typeof value !== 'string') return fault.set('SLUICE_INPUT_TYPE', message);
    return known.has(value) ? value : fault.set('SLUICE_INPUT_BOUNDS', message);
  };
}

function itemBuilder(field: AvroField, items: AvroType): Build {
  if (items === 'string')
    return buildString({ name: field.name, type: 'string', minLength: 1, maxLength: field.itemMaxLength });
  if (typeof items === 'string' || isUnion(items) || items.type !== 'record') throw unsupported(field, items);
  return compileInput(items);
}

function buildArray(field: AvroField, buildItem: Build): Build {
  const maxItems = field.maxItems ?? Number.MAX_SAFE_INTEGER;
  return (value, fault) => {
    if (!Array.isArray(value)) return fault.set('SLUICE_INPUT_TYPE', 'expected an array');
    if (value.length > maxItems) return fault.set('SLUICE_INPUT_BOUNDS', `expected at most ${maxItems} items`);
    const items: unknown[] = [];
    for (let index = 0; index < value.length; index += 1) {
      const item = buildItem(value[index], fault);
      if (item === FAILED) return fault.inside(String(index));
      items.push(item);
    }
    return items;
  };
}

/** A map of strings to strings, numbers and booleans, whichever of these `values` allows. */
function buildAttributes(field: AvroField, values: AvroType): Build {
  const branches: readonly AvroType[] = isUnion(values) ? values : [values];
  if (!branches.every((branch) => branch === 'string' || branch === 'double' || branch === 'boolean')) {
    throw unsupported(field, values);
  }
  const maxProperties = field.maxProperties ?? Number.MAX_SAFE_INTEGER;
  const keyMaxLength = field.keyMaxLength ?? Number.MAX_SAFE_INTEGER;
  const byType = new Map<string, Build>();
  if (branches.includes('string')) {
    byType.set('string', buildString({ name: field.name, type: 'string', maxLength: field.valueMaxLength }));
  }
  if (branches.includes('double')) byType.set('number', buildDouble);
  if (branches.includes('boolean')) byType.set('boolean', buildBoolean);
  const typeMessage = `expected one of: ${[...byType.keys()].join(', ')}`;
  const keyMessage = `expected names of 1 to ${keyMaxLength} characters without control characters`;
  return (value, fault) => {
    if (!isObject(value)) return fault.set('SLUICE_INPUT_TYPE', 'expected an object');
    const keys = Object.keys(value);
    if (keys.length > maxProperties)
      return fault.set('SLUICE_INPUT_BOUNDS', `expected at most ${maxProperties} entries`);
    const built: Record<string, unknown> = {};
    for (const key of keys) {
      // Assigning to __proto__ would set the prototype and lose the entry.
      if (key === '__proto__' || key.length === 0 || key.length > keyMaxLength || !isCleanText(key)) {
        return fault.set('SLUICE_INPUT_BOUNDS', keyMessage);
      }
      const part = value[key];
      const build = byType.get(typeof part);
      if (build === undefined) {
        fault.set('SLUICE_INPUT_TYPE', typeMessage);
        return fault.inside(printableName(key));
      }
      const result = build(part, fault);
      if (result === FAILED) return fault.inside(printableName(key));
      built[key] = result;
    }
    return built;
  };
}
