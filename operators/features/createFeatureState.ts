import { MemoryStorage, type ReservoirStorage } from './blockStore.ts';
import type { CompiledCatalogue } from './catalogue.ts';
import { defaultLimits, type FeatureLimits, type FeatureState } from './featureState.ts';
import { WindowState } from './windowState.ts';

/**
 * An empty state. The limits are part of what decides: a replay needs the same ones. Where old events are kept decides
 * nothing.
 */
export function createFeatureState(
  catalogue: CompiledCatalogue,
  limits: Partial<FeatureLimits> = {},
  storage: ReservoirStorage = new MemoryStorage(),
): FeatureState {
  return new WindowState(catalogue, { ...defaultLimits, ...limits }, storage);
}
