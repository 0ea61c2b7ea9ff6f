import type { CompiledCatalogue } from './catalogue.ts';
import { defaultLimits, type FeatureLimits, type FeatureState } from './featureState.ts';
import { WindowState } from './windowState.ts';

/** An empty state. The limits are part of what decides: a replay needs the same ones. */
export function createFeatureState(catalogue: CompiledCatalogue, limits: Partial<FeatureLimits> = {}): FeatureState {
  return new WindowState(catalogue, { ...defaultLimits, ...limits });
}
