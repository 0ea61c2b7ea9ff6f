import type { CompiledCatalogue, CompiledFeature } from './catalogue.ts';

/** Added to an estimated number of values, a whole number, so that decisions and history tell it from an exact one. */
export const ESTIMATE_MARK = 0.5;

/** By feature, whether its value is an estimate: a distinct's that is marked as one, or what was computed from such. */
export function estimatedFeatures(
  { features, names }: Pick<CompiledCatalogue, 'features' | 'names'>,
  values: ArrayLike<number>,
): readonly boolean[] {
  const isEstimated: boolean[] = [];
  for (const [index, feature] of features.entries()) {
    isEstimated.push(
      feature.kind === 'window'
        ? isMarked(feature, values[index] ?? Number.NaN)
        : feature.expression.features.some((name) => isEstimated[names.indexOf(name)]),
    );
  }
  return isEstimated;
}

function isMarked({ aggregate, whenEmpty }: Extract<CompiledFeature, { kind: 'window' }>, value: number): boolean {
  return aggregate === 'distinct' && value !== whenEmpty && value - Math.floor(value) === ESTIMATE_MARK;
}
