import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killSpawned, spawnSluice } from './testing/spawnSluice.ts';

const CATALOGUE = `features:
  - { name: n, aggregate: count, entity: account, window: 1h }
  - { name: shops, aggregate: distinct, of: merchant, entity: account, window: 1h }
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-state-'));
  writeFileSync(join(folder, 'features.yaml'), CATALOGUE);
  writeFileSync(join(folder, 'wrong.yaml'), CATALOGUE.replace('1h', '1 hour').replace('of: merchant, ', ''));
});
afterAll(async () => {
  await killSpawned();
  rmSync(folder, { recursive: true, force: true });
});

async function state(
  ...args: readonly string[]
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const sluice = spawnSluice(['state', ...args]);
  const { exitCode } = await sluice.ended;
  return { exitCode, output: sluice.output };
}

describe('sluice state', () => {
  it('tells what a catalogue will cost before it is deployed', async () => {
    const catalogue = join(folder, 'features.yaml');
    const given = ['--catalogue', catalogue, '--keys', '2000000', '--entity', 'merchant=50000', '--rate', '500'];
    const [text, json] = await Promise.all([state(...given), state(...given, '--json')]);
    expect(text.exitCode).toBe(0);
    expect(text.output).toMatch(/^[\d.]+ MiB of memory, [\d.]+% of 16 GiB; [\d.]+ MiB on disk\n/);
    // 500 a second, for an hour: no more accounts than payments.
    expect(text.output).toMatch(/^account +1,800,000 /m);
    expect(text.output).toMatch(/^merchant +50,000 /m);
    expect(text.output).toMatch(/^shops +account +8 +[\d.]+ MiB$/m);
    expect(JSON.parse(json.output)).toMatchObject({
      keys: [
        { entity: 'account', keys: 1_800_000 },
        { entity: 'merchant', keys: 50_000 },
      ],
      features: [{ feature: 'n', rowBytesPerKey: 8 }, { feature: 'shops' }],
      excess: [],
    });
  });

  it.each([
    [
      ['--url', 'http://127.0.0.1:9'],
      1,
      /^sluice: No Sluice answers at http:\/\/127\.0\.0\.1:9: start it \(sluice up\), .*\n$/,
    ],
    [
      ['--catalogue', 'FOLDER/features.yaml', '--entity', 'merchnt=5'],
      2,
      /^sluice: --entity: .* did you mean merchant\?\n$/,
    ],
    [
      ['--catalogue', 'FOLDER/none.yaml'],
      1,
      /^sluice: .*none\.yaml:1:1 the file is missing \[SLUICE_CONFIG_MISSING\]\n$/,
    ],
    [
      ['--catalogue', 'FOLDER/wrong.yaml'],
      1,
      /^sluice: .*wrong\.yaml:2:\d+ .* must be a length of time .*\n.*wrong\.yaml:3:\d+ feature 'shops': .*\[SLUICE_FEATURE_\w+\]\n$/,
    ],
    [['--catalogue', 'FOLDER/features.yaml', '--entity', 'card'], 2, /Must be a name and a number of keys/],
  ])('%j: exit code %i and what is wrong', async (args, exitCode, expected) => {
    const result = await state(...args.map((text) => text.replace('FOLDER', folder)));
    expect(result.output).toMatch(expected);
    expect(result.exitCode).toBe(exitCode);
  });
});
