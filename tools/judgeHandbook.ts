/**
 * Measures the rules of config/handbook alone, without its model, on the Fraud Detection Handbook's payments, and prints the page's section:
 *   npx tsx tools/judgeHandbook.ts transactions.csv.gz
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say, sluice, withoutModel } from './training/commands.ts';
import { handbookRulesMarkdown } from './training/handbookRules.ts';

const [payments] = process.argv.slice(2);
if (payments === undefined) throw new Error('Usage: npx tsx tools/judgeHandbook.ts transactions.csv.gz');
const folder = await mkdtemp(join(tmpdir(), 'sluice-judge-'));
try {
  const deployment = await withoutModel('config/handbook', join(folder, 'deployment'));
  const data = join(folder, 'data');
  await sluice('import', payments, '--config', deployment, '--data', data, '--no-history');
  say(await handbookRulesMarkdown(payments, data));
} finally {
  await rm(folder, { recursive: true, force: true });
}
