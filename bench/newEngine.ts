import type { Deployment } from '../infra/deployment/loadDeployment.ts';
import type { Scorer } from '../models/scorer.ts';
import { createFeatureState } from '../operators/features/createFeatureState.ts';
import { Engine } from '../pipeline/engine/engine.ts';

/** An engine before its first record, in memory alone. */
export function newEngine({ settings }: Deployment, scorer: Scorer | null): Engine {
  return new Engine(
    {
      loadModel: () => (scorer === null ? Promise.reject(new Error('no model was loaded')) : Promise.resolve(scorer)),
      createFeatures: (catalogue) => createFeatureState(catalogue),
      buildFeatures: (catalogue) => Promise.resolve(createFeatureState(catalogue)),
      compiled: () => null,
      storedDecision: () => Promise.reject(new Error('a new ledger has no stored decision')),
    },
    { maxBatch: settings.engine.maxBatch, decidedThrough: -1 },
  );
}
