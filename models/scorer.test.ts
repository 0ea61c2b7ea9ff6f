import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../schemas/packageRoot.ts';
import { modelMetadataSchema, scoreOf, type ModelMetadata } from './modelPackage.ts';
import { OcclusionExplainer } from './occlusion.ts';
import { Scorer } from './scorer.ts';

const deployments = ['default', 'handbook'].filter((name) => existsSync(modelFile(name, 'model.json')));

function modelFile(deployment: string, file: string): string {
  return join(packageRoot, 'config', deployment, 'model', file);
}

function packageOf(deployment: string): { readonly metadata: ModelMetadata; readonly onnx: Buffer } {
  const metadata = modelMetadataSchema.parse(JSON.parse(readFileSync(modelFile(deployment, 'model.json'), 'utf8')));
  return { metadata, onnx: readFileSync(modelFile(deployment, 'model.onnx')) };
}

/** Rows as a catalogue gives them: magnitudes from shares to amounts, and undefined values. */
function randomRows(width: number, rows: number): Float32Array {
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 5_000_000 }) },
    { weight: 2, arbitrary: fc.double({ min: 0, max: 10, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(NaN) },
  );
  const [values] = fc.sample(fc.array(value, { minLength: width * rows, maxLength: width * rows, size: 'max' }), {
    numRuns: 1,
    seed: 20_261_122,
  });
  return Float32Array.from(values ?? []);
}

describe.each(deployments)('the model of config/%s', (deployment) => {
  it('gives each row the same bytes in every batch size', async () => {
    const { metadata, onnx } = packageOf(deployment);
    const scorer = await Scorer.load(metadata, onnx);
    const width = metadata.inputs.length;
    const rows = 256;
    const features = randomRows(width, rows);
    const whole = Buffer.from((await scorer.probabilities(features, rows)).slice().buffer);
    for (const batch of [1, 2, 3, 7, 16, 64, 255]) {
      const parts: Buffer[] = [];
      for (let row = 0; row < rows; row += batch) {
        const count = Math.min(batch, rows - row);
        const part = await scorer.probabilities(features.subarray(row * width), count);
        parts.push(Buffer.from(part.slice().buffer));
      }
      expect(Buffer.concat(parts).equals(whole), `batches of ${String(batch)}`).toBe(true);
    }
    await scorer.close();
  });

  it('explains a score by what it would lose, greatest first, the same every time', async () => {
    const { metadata, onnx } = packageOf(deployment);
    const scorer = await Scorer.load(metadata, onnx);
    const explainer = new OcclusionExplainer(scorer);
    const row = randomRows(metadata.inputs.length, 1);
    const [probability = NaN] = await scorer.probabilities(row, 1);
    const [contributions = []] = await explainer.explain(row, [probability], 3);
    expect(contributions.length).toBeLessThanOrEqual(3);
    for (const { contribution, feature, value } of contributions) {
      expect(contribution).toBeGreaterThan(0);
      expect(row[metadata.inputs.indexOf(feature)]).toBe(value);
    }
    expect(contributions.map((each) => each.contribution)).toEqual(
      contributions.map((each) => each.contribution).sort((a, b) => b - a),
    );
    expect(await explainer.explain(row, [probability], 3)).toEqual([contributions]);
    await scorer.close();
  });

  it('explains many payments together as it does each alone', async () => {
    const { metadata, onnx } = packageOf(deployment);
    const scorer = await Scorer.load(metadata, onnx);
    const explainer = new OcclusionExplainer(scorer);
    const width = metadata.inputs.length;
    // More than are scored in one go.
    const payments = 70;
    const rows = randomRows(width, payments);
    const probabilities = Array.from((await scorer.probabilities(rows, payments)).slice());
    const together = await explainer.explain(rows, probabilities, 3);
    const alone: unknown[] = [];
    for (let payment = 0; payment < payments; payment++) {
      const row = rows.subarray(payment * width, (payment + 1) * width);
      alone.push(...(await explainer.explain(row, probabilities.slice(payment, payment + 1), 3)));
    }
    expect(together).toEqual(alone);
    expect(together.some((contributions) => contributions.length > 0)).toBe(true);
    expect(await explainer.explain(rows, [], 3)).toEqual([]);
    await scorer.close();
  });

  it('is refused when it is not the file that model.json names, or takes other inputs', async () => {
    const { metadata, onnx } = packageOf(deployment);
    const damaged = Buffer.from(onnx);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    await expect(Scorer.load(metadata, damaged)).rejects.toMatchObject({ code: 'SLUICE_MODEL_HASH' });
    const fewer = { ...metadata, inputs: metadata.inputs.slice(1) };
    await expect(Scorer.load(fewer, onnx)).rejects.toMatchObject({ code: 'SLUICE_MODEL_SHAPE' });
    await expect(Scorer.load({ ...metadata, input: 'nope' }, onnx)).rejects.toThrow(/no input 'nope'/);
    await expect(Scorer.load({ ...metadata, output: 'nope' }, onnx)).rejects.toThrow(/no output 'nope'/);
  });
});

describe('a calibration', () => {
  const points: ModelMetadata['calibration'] = [
    [0, 0],
    [0.1, 600],
    [0.5, 800],
    [1, 1000],
  ];

  it('is linear between its points', () => {
    expect([0, 0.05, 0.1, 0.3, 0.5, 0.75, 1].map((probability) => scoreOf(points, probability))).toEqual([
      0, 300, 600, 700, 800, 900, 1000,
    ]);
  });

  it('never lets a greater probability score less', () => {
    const probability = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(probability, probability, (a, b) => {
        expect(scoreOf(points, Math.min(a, b))).toBeLessThanOrEqual(scoreOf(points, Math.max(a, b)));
      }),
    );
  });
});
