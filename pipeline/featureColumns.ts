import { parseConfiguration } from '../operators/configuration.ts';
import { compileCatalogue } from '../operators/features/catalogue.ts';
import type { FeatureColumns } from './ports.ts';

/**
 * The columns of the catalogue in a rule-set publication's content. Null when the content is no valid configuration:
 * no decision can then have used it.
 */
export function featureColumns(content: string): FeatureColumns | null {
  const configuration = parseConfiguration(content);
  if (!configuration.ok) return null;
  const { features, latenessMs } = configuration.value;
  const catalogue = compileCatalogue(features, latenessMs);
  if (!catalogue.ok) return null;
  return {
    catalogueSha256: catalogue.value.sha256,
    names: catalogue.value.names,
    descriptions: features.map(({ text }) => text?.en ?? ''),
  };
}
