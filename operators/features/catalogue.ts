import { createHash } from 'node:crypto';
import { compileCel, type CompiledExpression } from '../cel/compile.ts';
import { readsAny } from '../cel/facts.ts';
import type { Aggregate, Checked, ConfigurationProblem, FeatureDefinition } from '../definitions.ts';
import { distinctFields, entityNames, isDistinctField } from './keyField.ts';
import {
  MAX_DELAY_MS,
  MAX_FEATURES,
  MAX_FEATURE_NAME_LENGTH,
  MAX_LATENESS_MS,
  MAX_WINDOW_MS,
  MIN_WINDOW_MS,
} from './limits.ts';

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
      readonly aggregate: Exclude<Aggregate, 'expression'>;
      /** Fields of the key, in the order of entityNames. */
      readonly entity: readonly string[];
      /** The field counted by distinct; amounts need none. */
      readonly distinctOf: string | null;
      readonly windowMs: number;
      readonly delayMs: number;
      readonly where: CompiledWhere | null;
      readonly includeCurrent: boolean;
      readonly whenEmpty: number;
    }
  | {
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
  }
  if (problems.length > 0) return { ok: false, problems };
  const sha256 = catalogueHash(features, definitions, latenessMs);
  return { ok: true, value: { definitions, names, sha256, latenessMs, features } };
}

/** Defaults are filled in first, so that writing a default out does not change the hash. */
function catalogueHash(
  features: readonly CompiledFeature[],
  definitions: readonly FeatureDefinition[],
  latenessMs: number,
): string {
  const canonical = features.map((feature, index) => {
    const whenEmpty = Number.isNaN(feature.whenEmpty) ? null : feature.whenEmpty;
    const { aggregate, of = null, where = null } = definitions[index]!;
    if (feature.kind === 'expression')
      return { aggregate, expression: feature.expression.source, name: feature.name, whenEmpty };
    const { delayMs, entity, includeCurrent, name, windowMs } = feature;
    return { aggregate, delayMs, entity, includeCurrent, name, of, whenEmpty, where, windowMs };
  });
  return createHash('sha256')
    .update(JSON.stringify({ features: canonical, latenessMs }))
    .digest('hex');
}

const windowAggregates = ['count', 'sum', 'avg', 'std', 'min', 'max', 'distinct', 'timeSince', 'rate'] as const;
type WindowAggregate = (typeof windowAggregates)[number];
const amountAggregates: readonly string[] = ['sum', 'avg', 'std', 'min', 'max'];
const zeroWhenEmpty: readonly string[] = ['count', 'sum', 'distinct'];

/** Checks and compiles one definition, collecting every problem in it. */
class FeatureCheck {
  readonly problems: ConfigurationProblem[] = [];
  readonly #definition: FeatureDefinition;
  readonly #index: number;
  readonly #namesAbove: readonly string[];

  constructor(definition: FeatureDefinition, index: number, namesAbove: readonly string[]) {
    this.#definition = definition;
    this.#index = index;
    this.#namesAbove = namesAbove;
  }

  compile(): CompiledFeature | null {
    const { aggregate } = this.#definition;
    this.#checkName();
    const windowAggregate = windowAggregates.find((known) => known === aggregate);
    if (windowAggregate !== undefined) return this.#window(windowAggregate);
    if (aggregate === 'expression') return this.#expression();
    const message = `unknown aggregate; one of ${windowAggregates.join(', ')}, expression`;
    this.#problem('SLUICE_FEATURE_AGGREGATE', 'aggregate', message);
    return null;
  }

  #checkName(): void {
    const { name } = this.#definition;
    if (!/^[a-z][a-z0-9_]*$/.test(name) || name.length > MAX_FEATURE_NAME_LENGTH) {
      const message = `a name is lower-case letters, digits and _, starts with a letter, and has at most ${MAX_FEATURE_NAME_LENGTH} characters`;
      this.#problem('SLUICE_FEATURE_NAME', 'name', message);
    }
    const earlier = this.#namesAbove.indexOf(name);
    if (earlier >= 0)
      this.#problem('SLUICE_FEATURE_NAME', 'name', `'${name}' is already the name of feature ${earlier + 1}`);
  }

  #expression(): CompiledFeature | null {
    const { name, expression, whenEmpty } = this.#definition;
    for (const field of ['entity', 'of', 'windowMs', 'delayMs', 'where', 'includeCurrent'] as const)
      if (this.#definition[field] !== undefined) this.#notTaken(field);
    this.#checkWhenEmpty();
    if (expression === undefined) {
      this.#problem('SLUICE_FEATURE_FIELD', 'expression', 'an expression feature needs `expression`');
      return null;
    }
    const compiled = compileCel(expression, { kind: 'expression', features: this.#namesAbove });
    if (!compiled.ok) {
      this.#problem(compiled.code, 'expression', `${compiled.message} (character ${compiled.position + 1})`);
      return null;
    }
    return { kind: 'expression', name, expression: compiled.value, whenEmpty: whenEmpty ?? Number.NaN };
  }

  #window(aggregate: WindowAggregate): CompiledFeature | null {
    const { name, windowMs, delayMs = 0, whenEmpty } = this.#definition;
    if (this.#definition.expression !== undefined) this.#notTaken('expression');
    this.#checkWhenEmpty();
    const entity = this.#entity();
    const distinctOf = this.#of(aggregate);
    if (windowMs === undefined)
      this.#problem('SLUICE_FEATURE_FIELD', 'windowMs', `${aggregate} needs a window, e.g. 1h`);
    else this.#checkDuration('windowMs', windowMs, MIN_WINDOW_MS, MAX_WINDOW_MS);
    this.#checkDuration('delayMs', delayMs, 0, MAX_DELAY_MS);
    const where = this.#where();
    if (aggregate === 'rate' && this.#definition.where === undefined)
      this.#problem('SLUICE_FEATURE_FIELD', 'where', 'rate needs `where`: the share of events that satisfy it');
    if (this.problems.length > 0 || windowMs === undefined) return null;
    return {
      kind: 'window',
      name,
      aggregate,
      entity,
      distinctOf,
      windowMs,
      delayMs,
      where,
      includeCurrent: this.#definition.includeCurrent ?? aggregate !== 'timeSince',
      whenEmpty: whenEmpty ?? (zeroWhenEmpty.includes(aggregate) ? 0 : Number.NaN),
    };
  }

  #entity(): readonly string[] {
    const { entity } = this.#definition;
    if (entity === undefined || entity.length === 0) {
      const message = `needs an entity, or a list of them: ${entityNames.join(', ')}`;
      this.#problem('SLUICE_FEATURE_FIELD', 'entity', message);
      return [];
    }
    for (const [place, name] of entity.entries()) {
      if (!entityNames.includes(name)) {
        const message = `unknown entity; one of ${entityNames.join(', ')}`;
        this.#problem('SLUICE_FEATURE_ENTITY', 'entity', message, place);
      } else if (entity.indexOf(name) !== place) {
        this.#problem('SLUICE_FEATURE_ENTITY', 'entity', `'${name}' is there twice`, place);
      }
    }
    return entityNames.filter((name) => entity.includes(name));
  }

  /** The field of a distinct count, null for every other aggregate. */
  #of(aggregate: WindowAggregate): string | null {
    const { of } = this.#definition;
    if (aggregate === 'distinct') {
      if (of !== undefined && isDistinctField(of)) return of;
      const message = `distinct needs \`of\`: one of ${distinctFields.join(', ')} or attributes.NAME`;
      this.#problem('SLUICE_FEATURE_FIELD', 'of', message);
    } else if (amountAggregates.includes(aggregate)) {
      if (of !== 'amountMinor') this.#problem('SLUICE_FEATURE_FIELD', 'of', `${aggregate} needs \`of: amountMinor\``);
    } else if (of !== undefined) {
      this.#notTaken('of');
    }
    return null;
  }

  #where(): CompiledWhere | null {
    const { where } = this.#definition;
    if (where === undefined) return null;
    const compiled = compileCel(where, { kind: 'where' });
    if (!compiled.ok) {
      this.#problem(compiled.code, 'where', `${compiled.message} (character ${compiled.position + 1})`);
      return null;
    }
    return { expression: compiled.value, readsFacts: readsAny(compiled.value.facts) };
  }

  #checkDuration(field: 'windowMs' | 'delayMs', value: number, least: number, greatest: number): void {
    if (Number.isInteger(value) && value >= least && value <= greatest) return;
    const message = `must be whole milliseconds from ${least} to ${greatest} (${greatest / 86_400_000} days)`;
    this.#problem('SLUICE_FEATURE_DURATION', field, message);
  }

  #checkWhenEmpty(): void {
    const { whenEmpty } = this.#definition;
    if (whenEmpty !== undefined && !Number.isFinite(whenEmpty))
      this.#problem('SLUICE_FEATURE_FIELD', 'whenEmpty', 'must be a finite number; leave it out for undefined');
  }

  #notTaken(field: keyof FeatureDefinition): void {
    this.#problem('SLUICE_FEATURE_FIELD', field, `${this.#definition.aggregate} does not take \`${field}\``);
  }

  #problem(code: string, field: keyof FeatureDefinition, message: string, place?: number): void {
    const path = place === undefined ? [this.#index, field] : [this.#index, field, place];
    const text = `feature '${this.#definition.name}': ${message}`;
    this.problems.push({ code, section: 'features', index: this.#index, path, message: text });
  }
}
