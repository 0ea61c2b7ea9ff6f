import type avro from 'avsc';
import { schemaRegistry } from './registry.ts';
import type { SchemaRegistry, SchemaVersion } from './registry.ts';
import type {
  DeadLetter,
  Decision,
  Fallback,
  GatewayTransaction,
  Label,
  LedgerRecord,
  ListChange,
  ModelPromotion,
  Outcome,
  Posture,
  RuleSetPublication,
  Tick,
  Transaction,
} from './types.ts';
import { compileWellFormed } from './wellFormed.ts';
import type { WellFormedCheck } from './wellFormed.ts';

/** The TypeScript type of every record schema, by the name that codecs, parsing and JSON Schema know it under. */
export interface SchemaTypes {
  readonly deadLetter: DeadLetter;
  readonly decision: Decision;
  readonly fallback: Fallback;
  readonly gatewayTransaction: GatewayTransaction;
  readonly label: Label;
  readonly ledgerRecord: LedgerRecord;
  readonly listChange: ListChange;
  readonly modelPromotion: ModelPromotion;
  readonly outcome: Outcome;
  readonly posture: Posture;
  readonly ruleSetPublication: RuleSetPublication;
  readonly tick: Tick;
  readonly transaction: Transaction;
}
export type SchemaName = keyof SchemaTypes;

export type DecodeErrorCode = 'SLUICE_SCHEMA_UNKNOWN' | 'SLUICE_AVRO_MALFORMED';

/** The bytes are not an Avro single-object datum that this version of Sluice can read. Never holds their content. */
export class DecodeError extends Error {
  readonly code: DecodeErrorCode;
  constructor(code: DecodeErrorCode, message: string) {
    super(message);
    this.name = 'DecodeError';
    this.code = code;
  }
}

export type DecodeResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: DecodeErrorCode; readonly message: string };

/**
 * Reads and writes one record type in Avro single-object encoding (Avro specification, "Single-object encoding"):
 * C3 01, the writer's CRC-64-AVRO fingerprint little-endian, the datum. Reading finds the writer's schema by the
 * fingerprint among all versions ever published and resolves it to the current one.
 */
export interface Codec<T> {
  /** Fingerprint of the schema that is written, 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** A new Buffer. Throws TypeError when `value` is not of the type; that is a mistake in the caller. */
  encode(value: T): Buffer;
  /**
   * Like `encode`, but the Buffer is only good until the next call of `encode` or `encodeShared` of this codec:
   * for callers that copy it at once.
   */
  encodeShared(value: T): Buffer;
  /** Throws DecodeError. */
  decode(bytes: Buffer): T;
  /** For bytes from outside. */
  tryDecode(bytes: Buffer): DecodeResult<T>;
}

const MARKER = Buffer.from([0xc3, 0x01]);
const HEADER_BYTES = 10;
const FIRST_SCRATCH_BYTES = 4096;
/** A record larger than this is refused: the largest legitimate ones are published configurations. */
const MAX_ENCODED_BYTES = 64 * 1024 * 1024;

/** How the bytes of one writer's schema are read as the current type. */
interface Reader {
  readonly isWellFormed: WellFormedCheck;
  readonly resolver: ReturnType<avro.Type['createResolver']> | undefined;
}

export class AvroCodec<T> implements Codec<T> {
  readonly fingerprint: string;
  readonly #version: SchemaVersion;
  readonly #registry: SchemaRegistry;
  readonly #header: Buffer;
  readonly #fingerprintLow: number;
  readonly #fingerprintHigh: number;
  readonly #ownReader: Reader;
  readonly #readers = new Map<string, Reader>();
  #scratch: Buffer;

  constructor(registry: SchemaRegistry, fullName: string) {
    this.#registry = registry;
    this.#version = registry.current(fullName);
    this.fingerprint = this.#version.fingerprint;
    this.#header = Buffer.concat([MARKER, Buffer.from(this.fingerprint, 'hex').reverse()]);
    this.#fingerprintLow = this.#header.readInt32LE(2);
    this.#fingerprintHigh = this.#header.readInt32LE(6);
    this.#ownReader = { isWellFormed: compileWellFormed(this.#version.schema), resolver: undefined };
    this.#scratch = this.#newScratch(FIRST_SCRATCH_BYTES);
  }

  encode(value: T): Buffer {
    return Buffer.from(this.encodeShared(value));
  }

  encodeShared(value: T): Buffer {
    for (;;) {
      const end = this.#version.type.encode(value, this.#scratch, HEADER_BYTES);
      if (end >= 0) return this.#scratch.subarray(0, end);
      // avsc answers with the number of missing bytes, negative.
      const needed = this.#scratch.length - end;
      if (needed > MAX_ENCODED_BYTES) {
        throw new RangeError(`SLUICE_AVRO_TOO_LARGE: a ${this.#version.fullName} of ${needed} bytes`);
      }
      this.#scratch = this.#newScratch(Math.min(MAX_ENCODED_BYTES, Math.max(needed, 2 * this.#scratch.length)));
    }
  }

  decode(bytes: Buffer): T {
    const reader = this.#readerOf(bytes);
    if (!reader.isWellFormed(bytes, HEADER_BYTES)) throw this.#malformed();
    try {
      const decoded: { readonly value: T } = this.#version.type.decode(bytes, HEADER_BYTES, reader.resolver);
      return decoded.value;
    } catch {
      // What the walk cannot see: an integer beyond 2^53. avsc's message may quote values.
      throw this.#malformed();
    }
  }

  tryDecode(bytes: Buffer): DecodeResult<T> {
    try {
      return { ok: true, value: this.decode(bytes) };
    } catch (error) {
      if (error instanceof DecodeError) return { ok: false, code: error.code, message: error.message };
      throw error;
    }
  }

  #readerOf(bytes: Buffer): Reader {
    if (bytes.length < HEADER_BYTES || bytes[0] !== MARKER[0] || bytes[1] !== MARKER[1]) {
      throw new DecodeError(
        'SLUICE_AVRO_MALFORMED',
        'not Avro single-object encoding: expected the bytes C3 01 and an 8-byte schema fingerprint',
      );
    }
    // Two integers compare quicker than ten bytes, and this is nearly always the case.
    if (bytes.readInt32LE(2) === this.#fingerprintLow && bytes.readInt32LE(6) === this.#fingerprintHigh) {
      return this.#ownReader;
    }
    const fingerprint = bytes.readBigUInt64LE(2).toString(16).padStart(16, '0');
    const known = this.#readers.get(fingerprint);
    if (known !== undefined) return known;
    const writer = this.#registry.find(fingerprint);
    if (writer === undefined) {
      throw new DecodeError('SLUICE_SCHEMA_UNKNOWN', `no schema with fingerprint ${fingerprint} is known here`);
    }
    if (writer.fullName !== this.#version.fullName) {
      throw new DecodeError('SLUICE_SCHEMA_UNKNOWN', `expected ${this.#version.fullName}, got ${writer.fullName}`);
    }
    const reader = {
      isWellFormed: compileWellFormed(writer.schema),
      resolver: this.#version.type.createResolver(writer.type),
    };
    this.#readers.set(fingerprint, reader);
    return reader;
  }

  #malformed(): DecodeError {
    return new DecodeError('SLUICE_AVRO_MALFORMED', `the bytes are not a well-formed ${this.#version.fullName}`);
  }

  #newScratch(size: number): Buffer {
    const scratch = Buffer.allocUnsafeSlow(size);
    this.#header.copy(scratch);
    return scratch;
  }
}

export const codecs: { readonly [Name in SchemaName]: Codec<SchemaTypes[Name]> } = {
  deadLetter: new AvroCodec(schemaRegistry, 'io.sluice.DeadLetter'),
  decision: new AvroCodec(schemaRegistry, 'io.sluice.Decision'),
  fallback: new AvroCodec(schemaRegistry, 'io.sluice.Fallback'),
  gatewayTransaction: new AvroCodec(schemaRegistry, 'io.sluice.GatewayTransaction'),
  label: new AvroCodec(schemaRegistry, 'io.sluice.Label'),
  ledgerRecord: new AvroCodec(schemaRegistry, 'io.sluice.LedgerRecord'),
  listChange: new AvroCodec(schemaRegistry, 'io.sluice.ListChange'),
  modelPromotion: new AvroCodec(schemaRegistry, 'io.sluice.ModelPromotion'),
  outcome: new AvroCodec(schemaRegistry, 'io.sluice.Outcome'),
  posture: new AvroCodec(schemaRegistry, 'io.sluice.Posture'),
  ruleSetPublication: new AvroCodec(schemaRegistry, 'io.sluice.RuleSetPublication'),
  tick: new AvroCodec(schemaRegistry, 'io.sluice.Tick'),
  transaction: new AvroCodec(schemaRegistry, 'io.sluice.Transaction'),
};
