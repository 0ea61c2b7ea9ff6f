import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulatedLedger } from '../bench/simulatedLedger.ts';
import { loadDeployment } from '../infra/deployment/loadDeployment.ts';
import { Scorer } from '../models/scorer.ts';
import { createFeatureState } from '../operators/features/createFeatureState.ts';
import { Engine } from '../pipeline/engine/engine.ts';
import { packageRoot } from '../schemas/packageRoot.ts';
import type { Decision } from '../schemas/types.ts';

const PAYMENTS = 8_000;

/** How config/default's model explains decisions on simulated payments, frauds among them. */
describe("a decision's explanation", () => {
  const decisions: Decision[] = [];
  let scorer: Scorer;

  beforeAll(async () => {
    const loaded = await loadDeployment(join(packageRoot, 'config/default'));
    if (!loaded.ok || loaded.deployment.model === null) throw new Error('config/default is no sound deployment');
    const { metadata, onnx } = loaded.deployment.model;
    scorer = await Scorer.load(metadata, onnx);
    const engine = new Engine(
      {
        loadModel: () => Promise.resolve(scorer),
        createFeatures: (catalogue) => createFeatureState(catalogue),
        buildFeatures: (catalogue) => Promise.resolve(createFeatureState(catalogue)),
        compiled: () => null,
        storedDecision: () => Promise.reject(new Error('a new ledger has no stored decision')),
      },
      { maxBatch: 16, decidedThrough: -1 },
    );
    const results = await engine.process(simulatedLedger(loaded.deployment, PAYMENTS));
    decisions.push(...results.map(({ decision }) => decision));
  });

  afterAll(async () => {
    await scorer.close();
  });

  it('is there if the payment is scored and not approved, and only then', () => {
    const isExplained = ({ explanation }: Decision): boolean => explanation !== null;
    expect(decisions.length).toBe(PAYMENTS);
    expect(decisions.filter(isExplained)).toEqual(
      decisions.filter(({ verdict, modelScore }) => verdict !== 'approve' && modelScore !== null),
    );
    expect(decisions.filter(isExplained).length).toBeGreaterThan(20);
  });

  it('adds up to the log-odds of the probability', () => {
    for (const { explanation, modelScore } of decisions) {
      if (explanation === null) continue;
      expect(explanation.method).toBe('treeShap');
      expect(explanation.contributions.length).toBe(scorer.metadata.inputs.length);
      const margin = explanation.contributions.reduce((sum, each) => sum + each, explanation.mean ?? NaN);
      expect(Math.abs(1 / (1 + Math.exp(-margin)) - (modelScore ?? NaN))).toBeLessThan(1e-6);
    }
  });

  it("gives the model's reasons: reason features that raised the margin, greatest first", () => {
    const { inputs, reasonFeatures } = scorer.metadata;
    let named = 0;
    for (const { explanation, reasons } of decisions) {
      const byModel = reasons.filter(({ code, feature }) => code === 'MODEL' && feature !== null);
      for (const { feature, contribution } of byModel) {
        named++;
        expect(contribution).toBeGreaterThan(0);
        expect(contribution).toBe(explanation?.contributions[inputs.indexOf(feature ?? '')]);
        expect(reasonFeatures).toContain(feature);
      }
      const contributions = byModel.map(({ contribution }) => contribution ?? NaN);
      expect(contributions).toEqual(contributions.toSorted((a, b) => b - a));
    }
    expect(named).toBeGreaterThan(20);
  });
});
