import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../schemas/packageRoot.ts';
import { modelMetadataSchema, type ModelMetadata } from './modelPackage.ts';
import { proveScoreBytes } from './scoreBytes.ts';
import { Scorer } from './scorer.ts';
import { TreeShap } from './trees/treeShap.ts';

/** Made by the exporters themselves: models/training/fixtures.py. */
const FOLDER = join(packageRoot, 'models/testing/packages');
const names = readdirSync(FOLDER);

const expectedSchema = z.object({
  rows: z.array(z.array(z.number().nullable())),
  probabilities: z.array(z.number()),
});

/** What a package's scores are explained by. */
const EXPLAINED: Readonly<Record<string, RegExp | 'treeShap'>> = {
  lightgbm: 'treeShap',
  xgboost: 'treeShap',
  'sklearn-bare-forest': /nodes_hitrates/,
  'sklearn-logistic': /no tree ensemble/,
  'sklearn-mlp': /no tree ensemble/,
  'sklearn-random-forest': /Imputer/,
  'sklearn-gradient-boosting': /Imputer/,
};

describe.each(names)('the package %s', (name) => {
  it('scores as the library that it was trained with', async () => {
    const { scorer, rows, expected } = await loaded(name);
    const probabilities = await scorer.probabilities(rows, expected.length);
    expected.forEach((probability, row) => {
      expect(Math.abs((probabilities[row] ?? NaN) - probability)).toBeLessThan(1e-5);
    });
    expect(new Set(probabilities).size).toBeGreaterThan(10);
    await scorer.close();
  });

  it('gives a row the same bytes in every batch size, and in another session', async () => {
    const { scorer, rows, expected } = await loaded(name);
    const width = scorer.metadata.inputs.length;
    const whole = bytesOf(await scorer.probabilities(rows, expected.length));
    const other = (await loaded(name)).scorer;
    for (const batch of [1, 2, 3, 7, 16, 63]) {
      const parts: Buffer[] = [];
      for (let row = 0; row < expected.length; row += batch) {
        const count = Math.min(batch, expected.length - row);
        const session = row % 2 === 0 ? scorer : other;
        parts.push(bytesOf(await session.probabilities(rows.subarray(row * width), count)));
      }
      expect(Buffer.concat(parts).equals(whole), `batches of ${batch}`).toBe(true);
    }
    await proveScoreBytes(scorer);
    await scorer.close();
    await other.close();
  });

  it('says what its scores are explained by, and its trees add up to the margin', async () => {
    const { scorer, rows, expected } = await loaded(name);
    const { trees, metadata } = scorer;
    const by = EXPLAINED[name];
    if (trees.ok) {
      expect(by).toBe('treeShap');
      const shap = new TreeShap(trees.ensemble);
      const contributions = new Float64Array(metadata.inputs.length);
      expected.forEach((probability, row) => {
        shap.explain(rows, row * metadata.inputs.length, contributions);
        const margin = contributions.reduce((sum, each) => sum + each, shap.mean);
        expect(1 / (1 + Math.exp(-margin))).toBeCloseTo(probability, 5);
      });
    } else expect(trees.why).toMatch(by ?? '');
    await scorer.close();
  });

  it('is refused with another hash, shape, input or output', async () => {
    const { metadata, onnx } = packageOf(name);
    const wrong: readonly (readonly [Partial<ModelMetadata>, string])[] = [
      [{ sha256: 'a'.repeat(64) }, 'SLUICE_MODEL_HASH'],
      [{ inputs: [...metadata.inputs, 'one_more'] }, 'SLUICE_MODEL_SHAPE'],
      [{ inputs: metadata.inputs.slice(1) }, 'SLUICE_MODEL_SHAPE'],
      [{ input: 'nothing' }, 'SLUICE_MODEL_SHAPE'],
      [{ output: 'nothing' }, 'SLUICE_MODEL_SHAPE'],
    ];
    for (const [change, code] of wrong)
      await expect(Scorer.load({ ...metadata, ...change }, onnx)).rejects.toMatchObject({ code });
  });
});

function packageOf(name: string): { readonly metadata: ModelMetadata; readonly onnx: Buffer } {
  const metadata = modelMetadataSchema.parse(JSON.parse(readFileSync(join(FOLDER, name, 'model.json'), 'utf8')));
  return { metadata, onnx: readFileSync(join(FOLDER, name, 'model.onnx')) };
}

async function loaded(
  name: string,
): Promise<{ readonly scorer: Scorer; readonly rows: Float32Array; readonly expected: readonly number[] }> {
  const { metadata, onnx } = packageOf(name);
  const text = readFileSync(join(FOLDER, name, 'expected.json'), 'utf8');
  const { rows, probabilities } = expectedSchema.parse(JSON.parse(text));
  const values = Float32Array.from(rows.flat(), (value) => value ?? NaN);
  return { scorer: await Scorer.load(metadata, onnx), rows: values, expected: probabilities };
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.slice().buffer);
}
