import type { StateInput, StateOutput } from '../../operators/savedState.ts';
import type { Codec } from '../../schemas/codec.ts';

/** Saves a record as Avro with its schema's fingerprint, so that a later Sluice reads it too; null as no bytes. */
export function saveRecord<T>(output: StateOutput, codec: Codec<T>, record: T | null): void {
  output.array(record === null ? new Uint8Array(0) : Uint8Array.from(codec.encodeShared(record)));
}

export function loadRecord<T>(input: StateInput, codec: Codec<T>): T | null {
  const { buffer, byteLength } = input.uint8Array();
  return byteLength === 0 ? null : codec.decode(Buffer.from(buffer, 0, byteLength));
}
