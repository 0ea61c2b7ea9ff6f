import type { AvroField, AvroRecord, AvroType } from './avroSchema.ts';
import { isUnion, nonNullBranch } from './avroSchema.ts';
import type { SchemaName } from './codec.ts';
import { schemaRegistry } from './registry.ts';

/** A JSON Schema (2020-12), as far as Avro schemas need it: what OpenAPI 3.1 takes. */
export interface JsonSchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly (string | null)[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly default?: unknown;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly writeOnly?: boolean;
}

/**
 * The JSON form of a record schema, whole and without references: docs as descriptions, bounds, enums, nullable and
 * optional fields. It accepts what `parseJson` accepts, except that JSON Schema counts a string's length in code
 * points and Sluice in UTF-16 code units.
 */
export function jsonSchemaOf(name: SchemaName): JsonSchema {
  const fullName = `io.sluice.${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  return recordSchema(schemaRegistry.current(fullName).schema, new Map());
}

type Named = Map<string, JsonSchema>;

function recordSchema(record: AvroRecord, named: Named): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const field of record.fields) properties[field.name] = fieldSchema(field, named);
  const required = record.fields.filter((field) => field.default === undefined).map((field) => field.name);
  const schema = {
    title: record.name,
    ...described(record.doc),
    type: 'object',
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
  named.set(record.name, schema);
  return schema;
}

function fieldSchema(field: AvroField, named: Named): JsonSchema {
  const branch = nonNullBranch(field.type);
  const schema = { ...typeSchema(branch ?? field.type, field, named), ...described(field.doc) };
  // parseJson takes null for every optional field as if the field were absent.
  const mayBeNull = branch !== undefined || field.default !== undefined;
  return {
    ...(mayBeNull ? nullable(schema) : schema),
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(field.sensitive === true ? { writeOnly: true } : {}),
  };
}

function nullable(schema: JsonSchema): JsonSchema {
  const { type, enum: symbols, ...rest } = schema;
  if (typeof type !== 'string') return { anyOf: [schema, { type: 'null' }] };
  return { type: [type, 'null'], ...(symbols === undefined ? {} : { enum: [...symbols, null] }), ...rest };
}

function typeSchema(type: AvroType, field: AvroField, named: Named): JsonSchema {
  if (typeof type === 'string') return primitiveSchema(type, field, named);
  if (isUnion(type)) return { anyOf: type.map((branch) => typeSchema(branch, field, named)) };
  switch (type.type) {
    case 'record':
      return recordSchema(type, named);
    case 'enum': {
      const schema = { title: type.name, type: 'string', enum: type.symbols };
      named.set(type.name, schema);
      return schema;
    }
    case 'array':
      return {
        type: 'array',
        items: typeSchema(type.items, itemField(field, type.items, 1, field.itemMaxLength), named),
        ...(field.maxItems === undefined ? {} : { maxItems: field.maxItems }),
      };
    case 'map':
      return {
        type: 'object',
        additionalProperties: typeSchema(
          type.values,
          itemField(field, type.values, undefined, field.valueMaxLength),
          named,
        ),
        propertyNames: { minLength: 1, ...(field.keyMaxLength === undefined ? {} : { maxLength: field.keyMaxLength }) },
        ...(field.maxProperties === undefined ? {} : { maxProperties: field.maxProperties }),
      };
  }
}

/** Bounds of an array's items or a map's values, which the field declares beside its own. */
function itemField(
  field: AvroField,
  type: AvroType,
  minLength: number | undefined,
  maxLength: number | undefined,
): AvroField {
  return { name: field.name, type, minLength, maxLength };
}

function primitiveSchema(type: string, field: AvroField, named: Named): JsonSchema {
  switch (type) {
    case 'null':
    case 'boolean':
      return { type };
    case 'int':
      return { type: 'integer', format: 'int32', ...range(field) };
    case 'long':
      return { type: 'integer', format: 'int64', ...range(field) };
    case 'float':
    case 'double':
      return { type: 'number', ...range(field) };
    case 'string':
      return {
        type: 'string',
        ...(field.minLength === undefined ? {} : { minLength: field.minLength }),
        ...(field.maxLength === undefined ? {} : { maxLength: field.maxLength }),
        ...(field.pattern === undefined ? {} : { pattern: field.pattern }),
      };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    default: {
      const schema = named.get(type);
      if (schema === undefined) throw new Error(`SLUICE_SCHEMA_INVALID: unknown Avro type ${type}`);
      return schema;
    }
  }
}

function range(field: AvroField): JsonSchema {
  return {
    ...(field.minimum === undefined ? {} : { minimum: field.minimum }),
    ...(field.maximum === undefined ? {} : { maximum: field.maximum }),
  };
}

function described(doc: string | undefined): JsonSchema {
  return doc === undefined ? {} : { description: doc };
}
