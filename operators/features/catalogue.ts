import type { FeatureDefinition } from '../definitions.ts';

/** A checked catalogue: names in order, and the hash that ties models and decisions to it. */
export interface FeatureCatalogue {
  readonly definitions: readonly FeatureDefinition[];
  readonly names: readonly string[];
  /** SHA-256 of the canonical JSON of the definitions (texts left out), hexadecimal. */
  readonly sha256: string;
  readonly latenessMs: number;
}
