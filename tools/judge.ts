/**
 * Prints how a deployment decides simulated payments against the simulated truth, as Markdown:
 *   npx tsx tools/judge.ts config/default artifacts/train/judge-demo.ndjson.gz [more files]
 * Each file (of `sluice simulate`) is imported into a new data folder, which is removed again.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { say, sluice } from './training/commands.ts';
import { judge, judgementMarkdown } from './training/judgement.ts';

const [deployment, ...files] = process.argv.slice(2);
if (deployment === undefined || files.length === 0) {
  throw new Error('Usage: npx tsx tools/judge.ts DEPLOYMENT FILE.ndjson.gz...');
}
const folder = await mkdtemp(join(tmpdir(), 'sluice-judge-'));
try {
  for (const file of files) {
    const name = basename(file, '.ndjson.gz');
    const dataFolder = join(folder, name);
    await sluice('import', file, '--config', deployment, '--data', dataFolder, '--no-history');
    say(`\n${judgementMarkdown(await judge(name, file, dataFolder))}`);
    await rm(dataFolder, { recursive: true });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
