import { createHash } from 'node:crypto';
import type { CompiledExpression } from '../cel/compile.ts';
import type { Checked, ConfigurationProblem, FeatureDefinition } from '../definitions.ts';
import type { WindowAggregate } from './aggregates.ts';
import { runSteps, type Steps } from '../steps.ts';
import { FeatureCheck } from './featureCheck.ts';
import { MAX_FEATURES, MAX_LATENESS_MS } from './limits.ts';

/** A checked catalogue: names in order, and the hash that ties models and decisions to it. */
export interface FeatureCatalogue {
  readonly definitions: readonly FeatureDefinition[];
  readonly names: readonly string[];
  /** SHA-256 of the canonical JSON of the definitions (texts left out), hexadecimal. */
  readonly sha256: string;
  readonly latenessMs: number;
}

/** A catalogue that a feature state can run. */
export interface CompiledCatalogue extends FeatureCatalogue {
  /** One per definition, in order. */
  readonly features: readonly CompiledFeature[];
}

/**
 * The hash of the catalogue that has only the first `count` features. Nothing in it depends on the features that follow, so a
 * model trained on it scores the first columns of the longer catalogue's rows as it did before.
 */
export function sha256OfFirst(catalogue: CompiledCatalogue, count: number): string {
  return catalogueHash(catalogue.features.slice(0, count), catalogue.definitions, catalogue.latenessMs);
}

export type CompiledFeature =
  | {
      readonly kind: 'window';
      readonly name: string;
      readonly aggregate: WindowAggregate;
      /** Fields of the key, in the order of entityNames. */
      readonly entity: readonly string[];
      /** The field whose values distinct, seenBefore and topShare tell apart; amounts need none. */
      readonly textField: string | null;
      /** Amounts are what refunds and reversals have left of them. */
      readonly isNet: boolean;
      /** The field whose number first and last give. */
      readonly numberField: string | null;
      readonly windowMs: number;
      readonly delayMs: number;
      readonly where: CompiledWhere | null;
      readonly includeCurrent: boolean;
      readonly whenEmpty: number;
    }
  | {
      /** A ratio too. */
      readonly kind: 'expression';
      readonly name: string;
      readonly expression: CompiledExpression;
      /** Stands for NaN, and for an expression that failed. */
      readonly whenEmpty: number;
    };

export interface CompiledWhere {
  readonly expression: CompiledExpression;
  /** Whether what becomes known of an event can change it. */
  readonly readsFacts: boolean;
}

/**
 * Checks a catalogue and compiles its expressions. `latenessMs` is how late an event may come and still land where its
 * own time puts it.
 */
export function compileCatalogue(
  definitions: readonly FeatureDefinition[],
  latenessMs: number,
): Checked<CompiledCatalogue> {
  return runSteps(catalogueSteps(definitions, latenessMs));
}

/** The same, a step for each feature. */
export function* catalogueSteps(
  definitions: readonly FeatureDefinition[],
  latenessMs: number,
): Steps<Checked<CompiledCatalogue>> {
  const problems: ConfigurationProblem[] = [];
  if (!Number.isInteger(latenessMs) || latenessMs < 0 || latenessMs > MAX_LATENESS_MS) {
    const message = `lateness must be whole milliseconds from 0 to ${MAX_LATENESS_MS} (a day)`;
    problems.push({ code: 'SLUICE_SETTING_LATENESS', section: 'settings', path: ['latenessMs'], message });
  }
  if (definitions.length > MAX_FEATURES) {
    const message = `${definitions.length} features declared; at most ${MAX_FEATURES} are possible`;
    problems.push({ code: 'SLUICE_FEATURE_LIMIT', section: 'features', path: [], message });
    return { ok: false, problems };
  }
  const names: string[] = [];
  const features: CompiledFeature[] = [];
  for (const [index, definition] of definitions.entries()) {
    const check = new FeatureCheck(definition, index, names);
    const feature = check.compile();
    problems.push(...check.problems);
    if (feature !== null) features.push(feature);
    names.push(definition.name);
    yield;
  }
  if (problems.length > 0) return { ok: false, problems };
  const sha256 = catalogueHash(features, definitions, latenessMs);
  return { ok: true, value: { definitions, names, sha256, latenessMs, features } };
}

/**
 * What each feature's values mean: the same text for the same computation, also of the features that it is made of, whatever else is
 * in the catalogue. Values recorded under two catalogues are alike where this is.
 */
export function featureMeanings(catalogue: CompiledCatalogue): ReadonlyMap<string, string> {
  const { features, definitions, latenessMs } = catalogue;
  const meanings = new Map<string, string>();
  for (const [index, feature] of features.entries()) {
    const parts = feature.kind === 'expression' ? feature.expression.features.map((name) => meanings.get(name)) : [];
    meanings.set(feature.name, JSON.stringify([canonicalFeature(feature, definitions[index]!), latenessMs, ...parts]));
  }
  return meanings;
}

function catalogueHash(
  features: readonly CompiledFeature[],
  definitions: readonly FeatureDefinition[],
  latenessMs: number,
): string {
  const canonical = features.map((feature, index) => canonicalFeature(feature, definitions[index]!));
  return createHash('sha256')
    .update(JSON.stringify({ features: canonical, latenessMs }))
    .digest('hex');
}

/** Defaults are filled in first, so that writing a default out does not change the hash. */
function canonicalFeature(feature: CompiledFeature, definition: FeatureDefinition): unknown {
  const { aggregate } = definition;
  const [of, where] = [definition.of ?? null, definition.where ?? null];
  const whenEmpty = Number.isNaN(feature.whenEmpty) ? null : feature.whenEmpty;
  if (feature.kind === 'expression')
    return { aggregate, expression: feature.expression.source, name: feature.name, whenEmpty };
  const { delayMs, entity, includeCurrent, name, windowMs } = feature;
  return { aggregate, delayMs, entity, includeCurrent, name, of, whenEmpty, where, windowMs };
}
