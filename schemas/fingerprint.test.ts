import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { rabinFingerprint } from './fingerprint.ts';
import { parsingCanonicalForm, schemaRegistry } from './registry.ts';

describe('the CRC-64-AVRO fingerprint', () => {
  // Values that Apache Avro's own test suites pin.
  it.each([
    ['"null"', 0x63dd24e7cc258f8an],
    ['"int"', 0x7275d51a3f395c8fn],
    ['"string"', 0x8f014872634503c7n],
  ])('of %s is the one of the Avro project', (canonicalForm, expected) => {
    expect(rabinFingerprint(Buffer.from(canonicalForm))).toBe(expected);
  });

  it('of nothing is the initial value', () => {
    expect(rabinFingerprint(new Uint8Array())).toBe(0xc15d213aa4d7a795n);
  });
});

describe('the Parsing Canonical Form', () => {
  it('keeps only what a parser needs, with full names and in the order of the specification', () => {
    const type = avro.Type.forSchema({
      namespace: 'x.y',
      doc: 'dropped',
      fields: [
        { name: 'a', doc: 'dropped', type: { type: 'long' }, default: 1 },
        { name: 'b', type: { symbols: ['P', 'Q'], type: 'enum', name: 'E', default: 'P' } },
        { name: 'c', type: 'E' },
        { name: 'd', type: ['null', { items: 'string', type: 'array' }] },
        { name: 'e', type: { values: 'double', type: 'map' } },
      ],
      type: 'record',
      name: 'R',
    });
    expect(parsingCanonicalForm(type)).toBe(
      '{"name":"x.y.R","type":"record","fields":[{"name":"a","type":"long"},' +
        '{"name":"b","type":{"name":"x.y.E","type":"enum","symbols":["P","Q"]}},{"name":"c","type":"x.y.E"},' +
        '{"name":"d","type":["null",{"type":"array","items":"string"}]},' +
        '{"name":"e","type":{"type":"map","values":"double"}}]}',
    );
  });

  it('differs for all schemas, so that each has its own fingerprint', () => {
    const versions = schemaRegistry.versions();
    expect(new Set(versions.map((version) => version.fingerprint)).size).toBe(versions.length);
  });
});
