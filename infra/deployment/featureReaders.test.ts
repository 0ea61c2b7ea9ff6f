import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../schemas/packageRoot.ts';
import { featureReaders } from './featureReaders.ts';
import { loadDeployment, type Deployment } from './loadDeployment.ts';

const EXTRA = { name: 'extra', aggregate: 'count', entity: ['card'], windowMs: 60_000 } as const;

async function shipped(): Promise<Deployment> {
  const loaded = await loadDeployment(join(packageRoot, 'config/default'));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.deployment;
}

describe('the readers of a feature', () => {
  it('are the rules and the model', async () => {
    const { model, ...deployment } = await shipped();
    const rules = ["rule 'new-device-transfer'", "rule 'new-device-cash-out'"];
    expect(featureReaders({ ...deployment, model: null }, 'account_device_share_30d')).toEqual(rules);
    expect(featureReaders({ ...deployment, model }, 'account_device_share_30d')).toEqual([
      ...rules,
      `the model ${model?.metadata.id ?? ''} ${model?.metadata.version ?? ''}`,
    ]);
  });

  it('are the features that are made of it', async () => {
    const { definition } = await shipped();
    const made = { name: 'twice', aggregate: 'expression', expression: '2.0 * f.extra' } as const;
    const features = [...definition.features, EXTRA, made];
    expect(featureReaders({ definition: { ...definition, features }, model: null }, 'extra')).toEqual([
      "feature 'twice'",
    ]);
  });

  it('are none where nobody reads it, though a model scores the features before it', async () => {
    const { definition, model } = await shipped();
    const features = [...definition.features, EXTRA];
    expect(featureReaders({ definition: { ...definition, features }, model }, 'extra')).toEqual([]);
  });
});
