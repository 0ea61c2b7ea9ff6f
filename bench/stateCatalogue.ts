import type { EntityName, FeatureDefinition } from '../operators/definitions.ts';
import { compileCatalogue, type CompiledCatalogue } from '../operators/features/catalogue.ts';

const MINUTE_MS = 60_000;
export const LATENESS_MS = 10 * MINUTE_MS;
export const LONGEST_WINDOW_MS = 24 * 60 * MINUTE_MS;
const WINDOWS_MS = [10 * MINUTE_MS, 60 * MINUTE_MS, LONGEST_WINDOW_MS];

const distinctOf: Readonly<Partial<Record<EntityName, string>>> = {
  account: 'merchant',
  card: 'merchant',
  device: 'account',
  merchant: 'card',
};

/** What the state benchmark computes: 112 features of four entities over three windows, none of them an approximation. */
export function stateFeatures(): FeatureDefinition[] {
  return (['account', 'card', 'device', 'merchant'] as const).flatMap(featuresOf);
}

export function stateCatalogue(): CompiledCatalogue {
  const compiled = compileCatalogue(stateFeatures(), LATENESS_MS);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

function featuresOf(entity: EntityName): FeatureDefinition[] {
  const features: FeatureDefinition[] = WINDOWS_MS.flatMap((windowMs) => {
    const named = (aggregate: FeatureDefinition['aggregate']): FeatureDefinition => {
      return {
        name: `${entity}_${aggregate.toLowerCase()}_${windowMs / MINUTE_MS}m`,
        entity: [entity],
        aggregate,
        windowMs,
      };
    };
    const amounts = (['sum', 'avg', 'std', 'min', 'max'] as const).map((aggregate) => {
      return { ...named(aggregate), of: 'amountMinor' };
    });
    return [
      named('count'),
      ...amounts,
      { ...named('distinct'), of: distinctOf[entity] ?? 'account' },
      { ...named('rate'), where: 'tx.amountMinor > 50000' },
      { ...named('timeSince'), where: "tx.type == 'refund'" },
    ];
  });
  const sinceLast = { name: `${entity}_time_since`, entity: [entity], aggregate: 'timeSince' as const };
  return [...features, { ...sinceLast, windowMs: LONGEST_WINDOW_MS }];
}
