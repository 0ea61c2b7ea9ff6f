import { z } from 'zod';

/**
 * An Avro schema as Sluice's *.avsc files use it: records, enums, arrays, maps, unions and primitives, plus extra
 * attributes for bounds, which Avro itself ignores. Parsed strictly, so that a misspelt bound is an error and not a
 * bound that is silently missing.
 */
export type AvroType = string | readonly AvroType[] | AvroRecord | AvroEnum | AvroArray | AvroMap;

export interface AvroRecord {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly doc?: string | undefined;
  readonly fields: readonly AvroField[];
}

export interface AvroEnum {
  readonly type: 'enum';
  readonly name: string;
  readonly doc?: string | undefined;
  readonly symbols: readonly string[];
  /** The symbol that a reader takes for one it does not know. Not the default of a field. */
  readonly default?: string | undefined;
}

export interface AvroArray {
  readonly type: 'array';
  readonly items: AvroType;
}

export interface AvroMap {
  readonly type: 'map';
  readonly values: AvroType;
}

export interface Bounds {
  /** Strings: length in UTF-16 code units. */
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  /** Strings: a regular expression, anchored. */
  readonly pattern?: string | undefined;
  /** Numbers, inclusive. */
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  /** Arrays: number of items, and length of each string item. */
  readonly maxItems?: number | undefined;
  readonly itemMaxLength?: number | undefined;
  /** Maps: number of entries, length of keys, length of string values. */
  readonly maxProperties?: number | undefined;
  readonly keyMaxLength?: number | undefined;
  readonly valueMaxLength?: number | undefined;
}

export interface AvroField extends Bounds {
  readonly name: string;
  readonly type: AvroType;
  readonly doc?: string | undefined;
  /** A field with a default may be absent. */
  readonly default?: unknown;
  /** The value must never be stored or shown. */
  readonly sensitive?: boolean | undefined;
}

const count = z.number().int().min(0).optional();

const avroType: z.ZodType<AvroType> = z.lazy(() =>
  z.union([z.string(), z.array(avroType), avroRecord, avroEnum, avroArray, avroMap]),
);

const avroField: z.ZodType<AvroField> = z.strictObject({
  name: z.string(),
  type: avroType,
  doc: z.string().optional(),
  default: z.unknown().optional(),
  sensitive: z.boolean().optional(),
  minLength: count,
  maxLength: count,
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxItems: count,
  itemMaxLength: count,
  maxProperties: count,
  keyMaxLength: count,
  valueMaxLength: count,
});

/** Parses the JSON of one *.avsc file, whose outermost type is a record. */
export const avroRecord: z.ZodType<AvroRecord> = z.strictObject({
  type: z.literal('record'),
  name: z.string(),
  namespace: z.string().optional(),
  doc: z.string().optional(),
  fields: z.array(avroField),
});

const avroEnum: z.ZodType<AvroEnum> = z.strictObject({
  type: z.literal('enum'),
  name: z.string(),
  doc: z.string().optional(),
  symbols: z.array(z.string()),
  default: z.string().optional(),
});

const avroArray: z.ZodType<AvroArray> = z.strictObject({ type: z.literal('array'), items: avroType });

const avroMap: z.ZodType<AvroMap> = z.strictObject({ type: z.literal('map'), values: avroType });

export function isUnion(type: AvroType): type is readonly AvroType[] {
  return Array.isArray(type);
}

/** For `["null", X]`: X. Undefined for every other type. */
export function nonNullBranch(type: AvroType): AvroType | undefined {
  if (!isUnion(type) || type.length !== 2) return undefined;
  const [first, second] = type;
  return first === 'null' ? second : second === 'null' ? first : undefined;
}
