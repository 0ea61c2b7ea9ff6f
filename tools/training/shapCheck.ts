import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { modelMetadataSchema } from '../../models/modelPackage.ts';
import { readTrees } from '../../models/trees/readTrees.ts';
import { randomNumbers } from '../../models/trees/randomEnsemble.ts';
import { LEAF, type TreeEnsemble } from '../../models/trees/treeEnsemble.ts';
import { TreeShap } from '../../models/trees/treeShap.ts';
import { PYTHON } from './commands.ts';

export const SHAP_HEADING = '## Contributions against the shap package';
const ROWS = 1_000;
const SEED = 20_261_128;
const TOLERANCE = 1e-5;
const MISSING_SHARE = 0.1;

const resultSchema = z.object({
  rows: z.number(),
  largestDifference: z.number(),
  largestMeanDifference: z.number(),
  largestContribution: z.number(),
  version: z.string(),
});

/** Compares a model's contributions with the shap package's; the section for the results page. Throws when they differ. */
export async function shapSection(modelFolder: string): Promise<string> {
  const metadata = modelMetadataSchema.parse(JSON.parse(await readFile(join(modelFolder, 'model.json'), 'utf8')));
  const read = readTrees(await readFile(join(modelFolder, 'model.onnx')), metadata);
  if (!read.ok) throw new Error(`${modelFolder} is not explained by its trees: ${read.why}`);
  const result = await compare(modelFolder, read.ensemble);
  const largest = Math.max(result.largestDifference, result.largestMeanDifference);
  if (!(largest < TOLERANCE))
    throw new Error(`contributions differ from shap's by ${largest}: ${JSON.stringify(result)}`);
  return [
    SHAP_HEADING,
    '',
    `\`${metadata.id}\` version ${metadata.version}, ${result.rows.toLocaleString('en')} rows of values around the trees' thresholds, a tenth of`,
    `them undefined: shap ${result.version} (path dependent) and Sluice differ by at most ${result.largestDifference.toPrecision(2)} in a`,
    `contribution (the largest is ${result.largestContribution.toPrecision(3)}) and ${result.largestMeanDifference.toPrecision(2)} in the mean. \`npx tsx tools/checkShap.ts\` repeats it.`,
    '',
  ].join('\n');
}

async function compare(modelFolder: string, ensemble: TreeEnsemble): Promise<z.infer<typeof resultSchema>> {
  const rows = rowsAround(ensemble);
  const explainer = new TreeShap(ensemble);
  const contributions = new Float64Array(ROWS * ensemble.inputs);
  for (let row = 0; row < ROWS; row++) {
    const base = row * ensemble.inputs;
    explainer.explain(rows, base, contributions.subarray(base, base + ensemble.inputs));
  }
  const folder = await mkdtemp(join(tmpdir(), 'sluice-shap-'));
  try {
    const file = join(folder, 'rows.json');
    const [rowBytes, contributionBytes] = [rows, contributions].map(({ buffer }) =>
      Buffer.from(buffer).toString('base64'),
    );
    await writeFile(file, JSON.stringify({ rows: rowBytes, contributions: contributionBytes, mean: explainer.mean }));
    const script = 'models/training/shap_check.py';
    const output = execFileSync(PYTHON, [script, '--model', modelFolder, '--rows', file], { encoding: 'utf8' });
    return resultSchema.parse(JSON.parse(output));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Each value is one of the thresholds that its input is compared with, or a little below or above it, or undefined. */
function rowsAround({ inputs, feature, threshold }: TreeEnsemble): Float32Array {
  const random = randomNumbers(SEED);
  const thresholds = Array.from({ length: inputs }, (): number[] => []);
  feature.forEach((input, node) => {
    if (input !== LEAF) thresholds[input]?.push(threshold[node] ?? NaN);
  });
  return Float32Array.from({ length: ROWS * inputs }, (_, index) => {
    if (random() < MISSING_SHARE) return NaN;
    const choices = thresholds[index % inputs] ?? [];
    const chosen = choices[Math.floor(random() * choices.length)] ?? 0;
    return chosen + (Math.floor(random() * 3) - 1) * Math.abs(chosen) * 1e-3;
  });
}
