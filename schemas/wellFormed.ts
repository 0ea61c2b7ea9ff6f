import type { AvroType } from './avroSchema.ts';
import { isUnion } from './avroSchema.ts';

/**
 * Whether bytes can be read as a datum of a schema: every length inside the bytes, every union and enum index known,
 * no integer too long, and nothing left over. avsc trusts all of these: four bytes that announce 2^40 array items
 * would keep it busy for hours. So bytes are walked once before avsc reads them.
 */
export type WellFormedCheck = (bytes: Uint8Array, start: number) => boolean;

/** Compiles the check of one writer's schema. Throws for Avro types that Sluice's schemas do not use. */
export function compileWellFormed(schema: AvroType): WellFormedCheck {
  const walk = compile(schema, new Map());
  return (bytes, start) => walk(bytes, start) === bytes.length;
}

/** The position after the datum that starts at `position`, or MALFORMED. */
type Walk = (bytes: Uint8Array, position: number) => number;

const MALFORMED = -1;
const MAX_VARINT_BYTES = 10;

function compile(type: AvroType, named: Map<string, Walk>): Walk {
  if (typeof type === 'string') return PRIMITIVES.get(type) ?? known(type, named);
  if (isUnion(type)) return union(type.map((branch) => compile(branch, named)));
  switch (type.type) {
    case 'record': {
      const walk = record(type.fields.map((field) => compile(field.type, named)));
      named.set(type.name, walk);
      return walk;
    }
    case 'enum': {
      const walk = enumeration(type.symbols.length);
      named.set(type.name, walk);
      return walk;
    }
    case 'array':
      return blocks([compile(type.items, named)]);
    case 'map':
      return blocks([lengthPrefixed, compile(type.values, named)]);
  }
}

function known(name: string, named: ReadonlyMap<string, Walk>): Walk {
  const walk = named.get(name);
  if (walk === undefined) throw new Error(`SLUICE_SCHEMA_INVALID: unknown or recursive Avro type ${name}`);
  return walk;
}

const PRIMITIVES: ReadonlyMap<string, Walk> = new Map([
  ['null', (_bytes: Uint8Array, position: number) => position],
  ['boolean', (bytes: Uint8Array, position: number) => ((bytes[position] ?? 2) > 1 ? MALFORMED : position + 1)],
  ['int', varint],
  ['long', varint],
  ['float', fixed(4)],
  ['double', fixed(8)],
  ['string', lengthPrefixed],
  ['bytes', lengthPrefixed],
]);

// The value of the varint read last by readLong. A module variable because a walk returns the position.
let value = 0;

function readLong(bytes: Uint8Array, start: number): number {
  let position = start;
  let scale = 1;
  let raw = 0;
  for (;;) {
    const byte = bytes[position];
    if (byte === undefined || position - start === MAX_VARINT_BYTES) return MALFORMED;
    position += 1;
    raw += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  // Zigzag. Beyond 2^53 this loses precision, which no length, count or index survives anyway.
  value = raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  return position;
}

function varint(bytes: Uint8Array, start: number): number {
  for (let position = start; position < start + MAX_VARINT_BYTES; position += 1) {
    const byte = bytes[position];
    if (byte === undefined) return MALFORMED;
    if (byte < 0x80) return position + 1;
  }
  return MALFORMED;
}

function fixed(size: number): Walk {
  return (bytes, position) => (position + size > bytes.length ? MALFORMED : position + size);
}

function lengthPrefixed(bytes: Uint8Array, start: number): number {
  const position = readLong(bytes, start);
  if (position === MALFORMED || value < 0 || value > bytes.length - position) return MALFORMED;
  return position + value;
}

function enumeration(symbols: number): Walk {
  return (bytes, start) => {
    const position = readLong(bytes, start);
    return position === MALFORMED || value < 0 || value >= symbols ? MALFORMED : position;
  };
}

function union(branches: readonly Walk[]): Walk {
  return (bytes, start) => {
    const position = readLong(bytes, start);
    if (position === MALFORMED) return MALFORMED;
    const branch = branches[value];
    return branch === undefined ? MALFORMED : branch(bytes, position);
  };
}

function record(fields: readonly Walk[]): Walk {
  return (bytes, start) => {
    let position = start;
    for (const field of fields) {
      position = field(bytes, position);
      if (position === MALFORMED) return MALFORMED;
    }
    return position;
  };
}

/** Arrays and maps: blocks of `count` entries, a negative count being followed by the block's size in bytes. */
function blocks(entry: readonly Walk[]): Walk {
  return (bytes, start) => {
    let position = start;
    for (;;) {
      position = readLong(bytes, position);
      if (position === MALFORMED || value === 0) return position;
      let count = value;
      if (count < 0) {
        count = -count;
        position = varint(bytes, position);
      }
      // No entry of our schemas takes less than a byte.
      if (position === MALFORMED || count > bytes.length - position) return MALFORMED;
      for (; count > 0; count -= 1) {
        for (const part of entry) {
          position = part(bytes, position);
          if (position === MALFORMED) return MALFORMED;
        }
      }
    }
  };
}
