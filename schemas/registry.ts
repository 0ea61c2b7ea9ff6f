import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';
import { avroRecord, isUnion } from './avroSchema.ts';
import type { AvroRecord, AvroType } from './avroSchema.ts';
import { rabinFingerprint } from './fingerprint.ts';
import { packageRoot } from './packageRoot.ts';

/** One version of one schema. */
export interface SchemaVersion {
  /** Full name, e.g. io.sluice.Transaction. */
  readonly fullName: string;
  /** CRC-64-AVRO of the Parsing Canonical Form, 16 hexadecimal digits, most significant first. */
  readonly fingerprint: string;
  readonly schema: AvroRecord;
  readonly type: avro.Type;
  /** File name, for messages. */
  readonly file: string;
}

/** Every schema version that was ever published: the current ones and, for readers of old bytes, the superseded. */
export class SchemaRegistry {
  readonly #current = new Map<string, SchemaVersion>();
  readonly #byFingerprint = new Map<string, SchemaVersion>();

  /** Two current versions of one name, or one version twice under different content, are a mistake in the files. */
  constructor(current: readonly SchemaVersion[], history: readonly SchemaVersion[]) {
    for (const version of current) {
      if (this.#current.has(version.fullName)) {
        throw new Error(`SLUICE_SCHEMA_DUPLICATE: ${version.file} defines ${version.fullName} a second time`);
      }
      this.#current.set(version.fullName, version);
      this.#byFingerprint.set(version.fingerprint, version);
    }
    for (const version of history) {
      if (!this.#current.has(version.fullName)) {
        throw new Error(`SLUICE_SCHEMA_ORPHAN: ${version.file} is an old version of no current schema`);
      }
      if (!this.#byFingerprint.has(version.fingerprint)) this.#byFingerprint.set(version.fingerprint, version);
    }
  }

  /** The version that is written now. */
  current(fullName: string): SchemaVersion {
    const version = this.#current.get(fullName);
    if (version === undefined) throw new Error(`SLUICE_SCHEMA_MISSING: no schema ${fullName} in schemas/*.avsc`);
    return version;
  }

  find(fingerprint: string): SchemaVersion | undefined {
    return this.#byFingerprint.get(fingerprint);
  }

  /** All versions, current ones first. */
  versions(): readonly SchemaVersion[] {
    return [...this.#byFingerprint.values()];
  }
}

/** Builds a version from the JSON of a schema; throws when it is not a record schema as Sluice uses them. */
export function schemaVersion(json: unknown, file: string): SchemaVersion {
  const parsed = avroRecord.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(
      `SLUICE_SCHEMA_INVALID: ${file} at ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a record schema'}`,
    );
  }
  const schema = parsed.data;
  // Unwrapped unions: a nullable string is `null | string`, as in types.ts, and not {string: '…'}.
  const type = avro.Type.forSchema(forAvsc(schema), { wrapUnions: 'never', omitRecordMethods: true });
  return {
    fullName: schema.namespace === undefined ? schema.name : `${schema.namespace}.${schema.name}`,
    fingerprint: rabinFingerprint(Buffer.from(parsingCanonicalForm(type), 'utf8'))
      .toString(16)
      .padStart(16, '0'),
    schema,
    type,
    file,
  };
}

/** The schema in Parsing Canonical Form (Avro specification). avsc prints exactly that when it leaves attributes out. */
export function parsingCanonicalForm(type: avro.Type): string {
  return JSON.stringify(type.schema());
}

type AvscSchema = Parameters<typeof avro.Type.forSchema>[0];

/** The schema without bounds, in the mutable form that avsc's typing wants. */
function forAvsc(type: AvroType): AvscSchema {
  if (typeof type === 'string') return type;
  if (isUnion(type)) return type.map(forAvscBranch);
  return forAvscBranch(type);
}

function forAvscBranch(type: AvroType): Exclude<AvscSchema, avro.Type | readonly unknown[]> {
  if (typeof type === 'string') return type;
  if (isUnion(type)) throw new Error('SLUICE_SCHEMA_INVALID: a union directly inside a union');
  switch (type.type) {
    case 'record':
      return {
        type: 'record',
        name: type.name,
        ...(type.namespace === undefined ? {} : { namespace: type.namespace }),
        fields: type.fields.map((field) => ({
          name: field.name,
          type: forAvsc(field.type),
          ...(field.default === undefined ? {} : { default: field.default }),
        })),
      };
    case 'enum':
      return {
        type: 'enum',
        name: type.name,
        symbols: [...type.symbols],
        ...(type.default === undefined ? {} : { default: type.default }),
      };
    case 'array':
      return { type: 'array', items: forAvsc(type.items) };
    case 'map':
      return { type: 'map', values: forAvsc(type.values) };
  }
}

function load(folder: string): SchemaVersion[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.avsc'))
    .sort()
    .map((file) => schemaVersion(JSON.parse(readFileSync(join(folder, file), 'utf8')), join('schemas', file)));
}

const schemasFolder = join(packageRoot, 'schemas');

/** The schemas of this version of Sluice. Read once, when the module is first imported. */
export const schemaRegistry = new SchemaRegistry(load(schemasFolder), load(join(schemasFolder, 'history')));
