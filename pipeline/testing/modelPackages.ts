import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelMetadataSchema, type ModelMetadata } from '../../models/modelPackage.ts';
import type { ConfigurationDefinition } from '../../operators/definitions.ts';
import { compileConfiguration } from '../../operators/configuration.ts';
import { packageRoot } from '../../schemas/packageRoot.ts';

const DAY_MS = 86_400_000;
const thresholds = { challenge: 300, review: 700, decline: 930 };
const account = { entity: ['account'], windowMs: DAY_MS } as const;

/** A deployment whose features are the inputs of the packages of models/testing/packages. */
export const packagesDefinition: ConfigurationDefinition = {
  ruleSetVersion: 'test.1',
  latenessMs: 600_000,
  recentIds: 10_000,
  features: [
    { name: 'amount', aggregate: 'expression', expression: 'tx.amountMinor' },
    { ...account, name: 'count', aggregate: 'count' },
    { ...account, name: 'distinct', aggregate: 'distinct', of: 'merchant' },
    { ...account, name: 'avg', aggregate: 'avg', of: 'amountMinor' },
    { ...account, name: 'max', aggregate: 'max', of: 'amountMinor' },
    { ...account, name: 'since', aggregate: 'timeSince', includeCurrent: false },
  ],
  rules: [],
  lists: [],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};

export interface TestPackage {
  readonly metadata: ModelMetadata;
  readonly onnx: Buffer;
}

/** A package of models/testing/packages, of the catalogue above. */
export function testPackage(name: string, change: Partial<ModelMetadata> = {}): TestPackage {
  const folder = join(packageRoot, 'models/testing/packages', name);
  const metadata = modelMetadataSchema.parse(JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')));
  const compiled = compileConfiguration(packagesDefinition);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const catalogueSha256 = compiled.value.catalogue.sha256;
  return {
    metadata: { ...metadata, id: 'fraud', catalogueSha256, ...change },
    onnx: readFileSync(join(folder, 'model.onnx')),
  };
}
