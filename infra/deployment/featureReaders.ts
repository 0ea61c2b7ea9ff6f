import { compileConfiguration } from '../../operators/configuration.ts';
import type { Deployment } from './loadDeployment.ts';

/** Who reads the feature, as a person reads it: `rule 'card-velocity'`, `the model card-fraud 7`. It can go when nobody does. */
export function featureReaders(
  { definition, model }: Pick<Deployment, 'definition' | 'model'>,
  name: string,
): readonly string[] {
  const features = definition.features.filter((feature) => feature.name !== name);
  const compiled = compileConfiguration({ ...definition, features });
  const readers = new Set<string>();
  for (const { section, index, path } of compiled.ok ? [] : compiled.problems) {
    const at = index ?? path[0];
    if (typeof at !== 'number') continue;
    if (section === 'rules') readers.add(`rule '${definition.rules[at]?.id ?? ''}'`);
    if (section === 'features') readers.add(`feature '${features[at]?.name ?? ''}'`);
  }
  if (model?.metadata.inputs.includes(name) === true) {
    readers.add(`the model ${model.metadata.id} ${model.metadata.version}`);
  }
  return [...readers];
}
