import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { simulatedLedger } from '../bench/simulatedLedger.ts';
import { loadDeployment } from '../infra/deployment/loadDeployment.ts';
import { catalogue, stream } from '../operators/features/testing/randomStream.ts';
import { packageRoot } from '../schemas/packageRoot.ts';
import { otherNodes } from '../tools/otherNodes.ts';
import type { Prepared } from './testing/byteHashesChild.ts';

const CHILD = fileURLToPath(new URL('./testing/byteHashesChild.ts', import.meta.url));
const CONFIG = join(packageRoot, 'config/default');
const PAYMENTS = 5_000;
/** So few that the payments take 27 days: every window fills and empties. */
const CUSTOMERS = 60;
const STREAMS = 40;
const STEPS = 3_000;

const hashesSchema = z.object({
  node: z.string(),
  decisions: z.number(),
  scored: z.number(),
  decisionsSha256: z.string(),
  featuresSha256: z.string(),
  streamValues: z.number(),
  streamsSha256: z.string(),
});
type Hashes = z.infer<typeof hashesSchema>;

const nodes = otherNodes();
for (const { major, isInstalled } of nodes) {
  if (isInstalled) continue;
  process.stdout.write(`not compared with Node ${major}: run npx tsx tools/fetchNodes.ts to have it\n`);
}

describe('the same ledger gives the same bytes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-determinism-'));
  const file = join(folder, 'prepared.json');
  let expected: Hashes;

  beforeAll(async () => {
    writeFileSync(file, JSON.stringify(await prepare()));
    expected = run(process.execPath, file);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('in another run of this Node', () => {
    expect(run(process.execPath, file)).toEqual(expected);
    expect(expected.decisions).toBe(PAYMENTS);
    expect(expected.scored).toBe(PAYMENTS);
    expect(expected.streamValues).toBeGreaterThan(100_000);
  });

  for (const { major, executable, isInstalled } of nodes) {
    it.runIf(isInstalled)(`under Node ${major}`, () => {
      const { node, ...hashes } = run(executable, file);
      expect(node).toMatch(new RegExp(`^${major}\\.`));
      expect({ ...hashes, node: expected.node }).toEqual(expected);
    });
  }
});

/** Made once: the simulator's own arithmetic may differ between Nodes (Math.pow does), what decides may not. */
async function prepare(): Promise<Prepared> {
  const loaded = await loadDeployment(CONFIG);
  if (!loaded.ok) throw new Error(`${CONFIG} is not sound`);
  const rows = simulatedLedger(loaded.deployment, PAYMENTS, CUSTOMERS);
  const streams = fc.sample(fc.tuple(catalogue, stream(STEPS)), { seed: 1, numRuns: STREAMS });
  return {
    config: CONFIG,
    records: rows.map(({ value }) => value.toString('base64')),
    streams: streams.map(([{ definitions, latenessMs }, steps]) => ({
      definitions: [...definitions],
      latenessMs,
      steps,
    })),
  };
}

function run(executable: string, file: string): Hashes {
  const { status, stdout, stderr } = spawnSync(executable, ['--import', 'tsx', CHILD, file], {
    cwd: packageRoot,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${executable} ended with ${String(status)}: ${stderr}`);
  return hashesSchema.parse(JSON.parse(stdout));
}
