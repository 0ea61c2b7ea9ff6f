import { compileCel } from '../cel/compile.ts';
import { readsAny } from '../cel/facts.ts';
import type { ConfigurationProblem, FeatureDefinition } from '../definitions.ts';
import { aggregateTraits, isWindowAggregate, type AggregateTraits, type WindowAggregate } from './aggregates.ts';
import type { CompiledFeature, CompiledWhere } from './catalogue.ts';
import { entityNames, isTextField, textFields } from './keyField.ts';
import { isNumberField } from './numberField.ts';
import { MAX_DELAY_MS, MAX_FEATURE_NAME_LENGTH, MAX_WINDOW_MS, MIN_WINDOW_MS } from './limits.ts';
import { durationText } from './sql/durationSql.ts';

/** What refunds and reversals that are known by now have left of an amount. */
const NET_AMOUNT = 'netAmountMinor';
const netAggregates: readonly WindowAggregate[] = ['sum', 'avg'];

/** Checks and compiles one definition, collecting every problem in it. */
export class FeatureCheck {
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
    return isWindowAggregate(aggregate) ? this.#window(aggregate) : this.#expression();
  }

  #checkName(): void {
    const { name } = this.#definition;
    if (!/^[a-z][a-z0-9_]*$/.test(name) || name.length > MAX_FEATURE_NAME_LENGTH) {
      const message = `a name is lower-case letters, digits and _, starts with a letter, and has at most ${MAX_FEATURE_NAME_LENGTH} characters`;
      this.#problem('SLUICE_FEATURE_NAME', 'name', message);
    }
    if (this.#namesAbove.includes(name))
      this.#problem('SLUICE_FEATURE_NAME', 'name', `'${name}' is already the name of a feature above`);
  }

  #expression(): CompiledFeature | null {
    const { name, whenEmpty } = this.#definition;
    for (const field of ['entity', 'of', 'windowMs', 'delayMs', 'where', 'includeCurrent'] as const)
      if (this.#definition[field] !== undefined) this.#notTaken(field);
    this.#checkWhenEmpty();
    const expression = this.#definition.aggregate === 'ratio' ? this.#ratioSource() : this.#expressionSource();
    if (expression === null) return null;
    const compiled = compileCel(expression, { kind: 'expression', features: this.#namesAbove });
    if (!compiled.ok) {
      this.#problem(compiled.code, 'expression', `${compiled.message} (character ${compiled.position + 1})`);
      return null;
    }
    return { kind: 'expression', name, expression: compiled.value, whenEmpty: whenEmpty ?? Number.NaN };
  }

  #expressionSource(): string | null {
    const { expression } = this.#definition;
    for (const field of ['numerator', 'denominator'] as const)
      if (this.#definition[field] !== undefined) this.#notTaken(field);
    if (expression === undefined)
      this.#problem('SLUICE_FEATURE_FIELD', 'expression', 'an expression feature needs `expression`');
    return expression ?? null;
  }

  /** A denominator of 0 gives 0 / 0, which is NaN as any undefined value. */
  #ratioSource(): string | null {
    if (this.#definition.expression !== undefined) this.#notTaken('expression');
    const numerator = this.#ratioTerm('numerator');
    const denominator = this.#ratioTerm('denominator');
    if (numerator === null || denominator === null) return null;
    return `(f.${denominator} != 0 ? f.${numerator} : 0) / f.${denominator}`;
  }

  #ratioTerm(field: 'numerator' | 'denominator'): string | null {
    const name = this.#definition[field];
    if (name !== undefined && this.#namesAbove.includes(name)) return name;
    const message =
      name === undefined
        ? `ratio needs \`${field}\`: the name of a feature declared above it`
        : `there is no feature '${name}' above this one`;
    this.#problem('SLUICE_FEATURE_FIELD', field, message);
    return null;
  }

  #window(aggregate: WindowAggregate): CompiledFeature | null {
    const { name, windowMs, delayMs = 0, whenEmpty } = this.#definition;
    for (const field of ['expression', 'numerator', 'denominator'] as const)
      if (this.#definition[field] !== undefined) this.#notTaken(field);
    this.#checkWhenEmpty();
    const entity = this.#entity();
    const field = this.#of(aggregate);
    if (windowMs === undefined)
      this.#problem('SLUICE_FEATURE_FIELD', 'windowMs', `${aggregate} needs a window, e.g. 1h`);
    else this.#checkDuration('windowMs', windowMs, MIN_WINDOW_MS, MAX_WINDOW_MS);
    this.#checkDuration('delayMs', delayMs, 0, MAX_DELAY_MS);
    const where = this.#where();
    const traits: AggregateTraits = aggregateTraits[aggregate];
    if (traits.isOrdered === true && where?.readsFacts === true) {
      const message = `${aggregate} takes no \`where\` on what becomes known of a payment later`;
      this.#problem('SLUICE_FEATURE_FIELD', 'where', message);
    }
    if (aggregate === 'geoVelocity' && this.#definition.includeCurrent === true) {
      const message = 'geoVelocity compares a payment with those before, so it cannot include itself';
      this.#problem('SLUICE_FEATURE_FIELD', 'includeCurrent', message);
    }
    if (aggregate === 'rate' && this.#definition.where === undefined)
      this.#problem('SLUICE_FEATURE_FIELD', 'where', 'rate needs `where`: the share of events that satisfy it');
    if (this.problems.length > 0 || windowMs === undefined) return null;
    return {
      kind: 'window',
      name,
      aggregate,
      entity,
      textField: traits.of === 'text' ? field : null,
      numberField: traits.of === 'number' ? field : null,
      isNet: this.#definition.of === NET_AMOUNT,
      windowMs,
      delayMs,
      where,
      includeCurrent: this.#definition.includeCurrent ?? traits.includeCurrent,
      whenEmpty: whenEmpty ?? traits.whenEmpty,
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

  /** The text or number field, null for an aggregate of neither. */
  #of(aggregate: WindowAggregate): string | null {
    const { of } = this.#definition;
    switch (aggregateTraits[aggregate].of) {
      case 'nothing':
        if (of !== undefined) this.#notTaken('of');
        return null;
      case 'amount':
        if (of === NET_AMOUNT && !netAggregates.includes(aggregate))
          this.#problem('SLUICE_FEATURE_FIELD', 'of', `only ${netAggregates.join(' and ')} take \`of: ${NET_AMOUNT}\``);
        else if (of !== 'amountMinor' && of !== NET_AMOUNT)
          this.#problem('SLUICE_FEATURE_FIELD', 'of', `${aggregate} needs \`of: amountMinor\``);
        return null;
      case 'number':
        if (of !== undefined && isNumberField(of)) return of;
        this.#problem('SLUICE_FEATURE_FIELD', 'of', `${aggregate} needs \`of\`: amountMinor or attributes.NAME`);
        return null;
      case 'text': {
        if (of !== undefined && isTextField(of)) {
          if (aggregate === 'seenBefore' && this.#definition.entity?.some((name) => name === of) === true)
            this.#problem('SLUICE_FEATURE_FIELD', 'of', `'${of}' is in the entity, so it has one value only`);
          return of;
        }
        const message = `${aggregate} needs \`of\`: one of ${textFields.join(', ')} or attributes.NAME`;
        this.#problem('SLUICE_FEATURE_FIELD', 'of', message);
        return null;
      }
    }
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
    const name = field === 'windowMs' ? 'window' : 'delay';
    const message = `${name} must be from ${durationText(least)} to ${durationText(greatest)}, in whole milliseconds`;
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
