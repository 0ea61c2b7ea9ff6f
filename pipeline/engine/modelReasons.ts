import type { FeatureCatalogue } from '../../operators/features/catalogue.ts';
import type { ModelMetadata } from '../../models/modelPackage.ts';
import type { FeatureContribution } from '../../models/featureContribution.ts';
import type { Reason } from '../../schemas/types.ts';

/** Reasons a person understands: the feature's own text, its value, and what is usual (the training median). */
export function modelReasons(
  contributions: readonly FeatureContribution[],
  catalogue: FeatureCatalogue,
  metadata: ModelMetadata,
): readonly Reason[] {
  return contributions.map(({ feature, contribution, value }) => {
    const text = catalogue.definitions[catalogue.names.indexOf(feature)]?.text ?? { en: feature, zh: feature };
    const shown = formatNumber(value);
    const usual = metadata.baselines[feature] ?? null;
    const compared = usual === null ? null : formatNumber(usual);
    return {
      code: 'MODEL',
      rule: null,
      version: null,
      list: null,
      feature,
      contribution,
      value,
      text: {
        en: `${text.en}: ${shown}${compared === null ? '' : ` (usually ${compared})`}`,
        zh: `${text.zh}：${shown}${compared === null ? '' : `（通常为 ${compared}）`}`,
      },
    };
  });
}

/** Whole numbers as they are, others with two decimals; `-` for an undefined value. */
function formatNumber(value: number): string {
  if (Number.isNaN(value)) return '-';
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
