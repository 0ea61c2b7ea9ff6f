import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtobufReader } from './protobufReader.ts';
import { varint } from './testing/onnxWriter.ts';

describe('a Protocol Buffers reader', () => {
  it('reads any integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const reader = new ProtobufReader(Buffer.concat([varint(8), varint(value)]));
        expect(reader.next()).toBe(true);
        expect(reader.field).toBe(1);
        expect(reader.integer()).toBe(value);
        expect(reader.next()).toBe(false);
      }),
    );
  });

  it('reads what the encoding guide shows, and skips what is not asked for', () => {
    // Field 1: 150; 2: "testing"; 6: packed 3, 270, 86942; 7: fixed32 1.5; 8: fixed64; 1: 1.
    const bytes = Buffer.from(
      '0896011207' + '74657374696e67' + '3206038e029ea705' + '3d0000c03f' + '410000000000000000' + '0801',
      'hex',
    );
    const reader = new ProtobufReader(bytes);
    const seen: unknown[] = [];
    while (reader.next()) {
      if (reader.field === 1) seen.push(reader.integer());
      else if (reader.field === 2) seen.push(reader.text());
      else if (reader.field === 6) {
        const integers: number[] = [];
        reader.integers(integers);
        seen.push(integers);
      } else if (reader.field === 7) seen.push(reader.float());
      else reader.skip();
    }
    expect(seen).toEqual([150, 'testing', [3, 270, 86942], 1.5, 1]);
  });

  it('refuses what is no message with a RangeError, and ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const reader = new ProtobufReader(bytes);
        try {
          while (reader.next()) reader.skip();
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
    const cut = new ProtobufReader(Buffer.from('1207746573', 'hex'));
    cut.next();
    expect(() => cut.text()).toThrow(/ends within a field/);
    expect(() => new ProtobufReader(Buffer.alloc(11, 0xff)).next()).toThrow(/ten bytes/);
    const other = new ProtobufReader(Buffer.from('0801', 'hex'));
    other.next();
    expect(() => other.text()).toThrow(/wire type 0, not 2/);
  });
});
