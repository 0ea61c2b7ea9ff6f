/**
 * `make train`: simulates payments, runs them through the engine, exports the features it computed, trains config/default's
 * model on them, and judges the whole deployment with it. What it makes on the way is under artifacts/train; interrupted, it
 * goes on from there, and it starts anew when the features or the compiled code have changed.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { requireDeployment } from '../cli/deployment.ts';
import { TRAINING_SIMULATIONS } from '../pipeline/simulate/trainingSimulations.ts';
import { exportFeatures, python, say, sluice, unlessThere, withoutModel } from './training/commands.ts';
import { judge, judgementMarkdown } from './training/judgement.ts';
import { shapSection } from './training/shapCheck.ts';

const DEPLOYMENT = 'config/default';
const MODEL_FOLDER = join(DEPLOYMENT, 'model');
const FOLDER = 'artifacts/train';
const RESULTS = 'models/RESULTS.md';
const HANDBOOK_NOTE = "The handbook deployment's model has its own page: [HANDBOOK.md](HANDBOOK.md).";

const deployment = await withoutModel(DEPLOYMENT, 'artifacts/train-deployment');
await startAnewIfChanged();
const version = await nextVersion();
for (const [index, { name, use }] of TRAINING_SIMULATIONS.entries()) {
  say(`\n[${String(index + 1)}/${String(TRAINING_SIMULATIONS.length)}] ${name}`);
  await unlessThere(paymentsFile(name), (partFile) => sluice('simulate', '--training', name, '--out', partFile));
  if (use === 'judge') continue;
  await unlessThere(featuresFile(name), (partFile) =>
    exportFeatures(deployment, paymentsFile(name), join(FOLDER, 'data', name), partFile),
  );
}

say(`\nTraining version ${version}`);
const resultsFile = join(FOLDER, 'results.md');
await python(
  'train.py',
  ...['--features', ...namesFor('learn').map(featuresFile)],
  ...['--held-out', ...namesFor('unseenKinds').map(featuresFile)],
  ...['--version', version, '--out', MODEL_FOLDER, '--results', resultsFile],
);
await sluice('check', DEPLOYMENT);

const judgements: string[] = [];
for (const name of namesFor('judge')) {
  say(`\nJudging ${DEPLOYMENT} on ${name}`);
  const dataFolder = join(FOLDER, 'data', `${name}-judged`);
  await rm(dataFolder, { recursive: true, force: true });
  await sluice('import', paymentsFile(name), '--config', DEPLOYMENT, '--data', dataFolder, '--no-history');
  judgements.push(judgementMarkdown(await judge(name, paymentsFile(name), dataFolder)));
  await rm(dataFolder, { recursive: true });
}
const introduction = [
  '## Rules and model together',
  '',
  'The whole of `config/default`, on simulations of which neither the model nor a rule has learned anything, against the',
  'simulated truth. `make train` prints this last; `npx tsx tools/judge.ts config/default FILE` prints it for any simulation.',
  '',
  'Blocked is every payment at least as severe as a threshold (by verdict, then score) that at most 0.3% of the genuine payments reach; where many have',
  'the very same severity they are all left unblocked.',
  '',
].join('\n');
const shap = await shapSection(MODEL_FOLDER);
const results = `${await readFile(resultsFile, 'utf8')}\n${introduction}\n${judgements.join('\n')}\n${HANDBOOK_NOTE}\n\n${shap}`;
await writeFile(RESULTS, results);
say(results);
say(`${MODEL_FOLDER} is version ${version}; its figures are in ${RESULTS}.`);

function paymentsFile(name: string): string {
  return `${FOLDER}/${name}.ndjson.gz`;
}

function featuresFile(name: string): string {
  return `${FOLDER}/${name}.csv.gz`;
}

function namesFor(use: 'learn' | 'unseenKinds' | 'judge'): readonly string[] {
  return TRAINING_SIMULATIONS.filter((simulation) => simulation.use === use).map(({ name }) => name);
}

/** Features are only kept for the code and the catalogue that made them. */
async function startAnewIfChanged(): Promise<void> {
  const hash = createHash('sha256');
  const files = (await Promise.all(['schemas', 'operators', 'pipeline'].map(compiledFiles))).flat().sort();
  for (const file of files) hash.update(file).update(await readFile(file));
  hash.update((await requireDeployment(deployment)).configuration.catalogue.sha256);
  const made = hash.digest('hex');
  const markFile = join(FOLDER, 'madeBy');
  if ((await readFile(markFile, 'utf8').catch(() => '')) === made) return;
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  await writeFile(markFile, made);
}

async function compiledFiles(layer: string): Promise<readonly string[]> {
  const entries = await readdir(join('dist', layer), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** One more than that of the model there is. */
async function nextVersion(): Promise<string> {
  const file = join(MODEL_FOLDER, 'model.json');
  if (!existsSync(file)) return '1';
  const { version: present } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(file, 'utf8')));
  const number = Number(present);
  return Number.isInteger(number) ? String(number + 1) : '1';
}
