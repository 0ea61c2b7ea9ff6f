import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AvroCodec } from './codec.ts';
import { packageRoot } from './packageRoot.ts';
import { SchemaRegistry, schemaRegistry, schemaVersion } from './registry.ts';

const older = schemaVersion(
  {
    type: 'record',
    name: 'Payment',
    namespace: 'io.sluice',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'channel', type: { type: 'enum', name: 'Way', symbols: ['card', 'other'], default: 'other' } },
      { name: 'obsolete', type: 'string', default: '' },
      { name: 'amountMinor', type: 'int' },
    ],
  },
  'older',
);
const newer = schemaVersion(
  {
    type: 'record',
    name: 'Payment',
    namespace: 'io.sluice',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'channel', type: { type: 'enum', name: 'Way', symbols: ['card', 'other', 'qr'], default: 'other' } },
      { name: 'amountMinor', type: 'long' },
      { name: 'country', type: ['null', 'string'], default: null },
    ],
  },
  'newer',
);

interface OlderPayment {
  readonly id: string;
  readonly channel: string;
  readonly obsolete: string;
  readonly amountMinor: number;
}
interface NewerPayment {
  readonly id: string;
  readonly channel: string;
  readonly amountMinor: number;
  readonly country: string | null;
}

describe('an old writer with a new reader', () => {
  const writer = new AvroCodec<OlderPayment>(new SchemaRegistry([older], []), 'io.sluice.Payment');
  const reader = new AvroCodec<NewerPayment>(new SchemaRegistry([newer], [older]), 'io.sluice.Payment');

  it('fills the added field, drops the removed one and widens the number', () => {
    const bytes = writer.encode({ id: 'p', channel: 'card', obsolete: 'x', amountMinor: 7 });
    expect(reader.decode(bytes)).toEqual({ id: 'p', channel: 'card', amountMinor: 7, country: null });
  });

  it('still sees damage', () => {
    const bytes = writer.encode({ id: 'p', channel: 'card', obsolete: 'x', amountMinor: 7 });
    expect(reader.tryDecode(bytes.subarray(0, -1))).toMatchObject({ ok: false, code: 'SLUICE_AVRO_MALFORMED' });
  });

  it('needs the old version in its history', () => {
    const forgetful = new AvroCodec<NewerPayment>(new SchemaRegistry([newer], []), 'io.sluice.Payment');
    const bytes = writer.encode({ id: 'p', channel: 'card', obsolete: 'x', amountMinor: 7 });
    expect(forgetful.tryDecode(bytes)).toMatchObject({ ok: false, code: 'SLUICE_SCHEMA_UNKNOWN' });
  });
});

describe('a new writer with an old reader', () => {
  const reduced = schemaVersion(
    {
      type: 'record',
      name: 'Payment',
      namespace: 'io.sluice',
      fields: [
        { name: 'id', type: 'string' },
        { name: 'channel', type: { type: 'enum', name: 'Way', symbols: ['card', 'other', 'qr'], default: 'other' } },
        { name: 'amountMinor', type: 'int' },
        { name: 'country', type: ['null', 'string'], default: null },
      ],
    },
    'reduced',
  );
  const writer = new AvroCodec<NewerPayment>(new SchemaRegistry([reduced], []), 'io.sluice.Payment');
  const reader = new AvroCodec<OlderPayment>(new SchemaRegistry([older], [reduced]), 'io.sluice.Payment');

  it('takes the default for a removed field and for an enum symbol it does not know', () => {
    const bytes = writer.encode({ id: 'p', channel: 'qr', amountMinor: 7, country: 'CN' });
    expect(reader.decode(bytes)).toEqual({ id: 'p', channel: 'other', obsolete: '', amountMinor: 7 });
  });
});

describe('the published schemas', () => {
  const pinnedText = readFileSync(join(packageRoot, 'schemas', 'fingerprints.json'), 'utf8');
  const pinned = z.record(z.string(), z.string()).parse(JSON.parse(pinnedText));
  const versions = schemaRegistry.versions();
  const currents = versions.filter((version) => schemaRegistry.current(version.fullName) === version);
  const pairs = versions
    .filter((version) => !currents.includes(version))
    .map((old) => ({ old, current: schemaRegistry.current(old.fullName) }));

  it.each(currents)('$fullName has its pinned fingerprint', ({ fullName, fingerprint }) => {
    expect(
      fingerprint,
      `${fullName} has changed. If any deployment has written it, put the version before into schemas/history as ` +
        `NAME.${pinned[fullName] ?? 'FINGERPRINT'}.avsc: this test then checks that both can read each other. ` +
        `Then write ${fingerprint} into schemas/fingerprints.json and run \`npm run generate\`.`,
    ).toBe(pinned[fullName]);
  });

  it('are pinned, all and no others', () => {
    expect(Object.keys(pinned).sort()).toEqual(currents.map((version) => version.fullName).sort());
  });

  it('and their superseded versions read each other, both ways', () => {
    for (const { old, current } of pairs) {
      expect(() => current.type.createResolver(old.type), `${old.file} read by the current version`).not.toThrow();
      expect(() => old.type.createResolver(current.type), `the current version read by ${old.file}`).not.toThrow();
    }
  });
});

describe('schema files', () => {
  it('with a misspelt bound are refused', () => {
    const json = { type: 'record', name: 'X', fields: [{ name: 'a', type: 'string', maxLenght: 3 }] };
    expect(() => schemaVersion(json, 'x.avsc')).toThrow(/SLUICE_SCHEMA_INVALID: x\.avsc at fields\.0/);
  });

  it('of an old version without a current one are refused', () => {
    expect(() => new SchemaRegistry([], [older])).toThrow(/SLUICE_SCHEMA_ORPHAN: older/);
  });

  it('that define one name twice are refused', () => {
    expect(() => new SchemaRegistry([older, newer], [])).toThrow(/SLUICE_SCHEMA_DUPLICATE: newer/);
  });
});
