import type { Reason, RuleError, RuleFiring } from '../../schemas/types.ts';
import { CelEvaluationError } from '../cel/celEvaluationError.ts';
import { compileCel, type CompiledExpression } from '../cel/compile.ts';
import type { EvaluationContext } from '../cel/context.ts';
import type { Checked, ConfigurationProblem, RuleDefinition } from '../definitions.ts';
import { isSnoozed } from '../lists/snoozes.ts';
import { runSteps, type Steps } from '../steps.ts';
import { ruleFaults, type RuleFault } from './ruleFaults.ts';
import { fnv1a, isInRollout } from './rollout.ts';

export interface CompiledRule {
  readonly definition: RuleDefinition;
  readonly expression: CompiledExpression;
  /** What a verdict says when the rule counts. */
  readonly reason: Reason;
}

/** What came of one payment. Made once and reused: `evaluate` empties it first. */
export interface RuleResults {
  /** Live rules that fired and are not snoozed, in order: they count. */
  readonly live: CompiledRule[];
  /** Live and shadow rules that fired, in order. */
  readonly fired: RuleFiring[];
  /** Rules that could not be evaluated, in order. */
  readonly errors: RuleError[];
}

export interface RuleSet {
  /** All rules, in the order given, rules that are off among them. */
  readonly rules: readonly CompiledRule[];
  /** Runs every rule that is not off. A rule that fails is recorded in `into.errors` and does not fire. Never throws. */
  evaluate(context: EvaluationContext, into: RuleResults): void;
}

export interface RuleScope {
  /** The catalogue's feature names, in order. */
  readonly features: readonly string[];
  /** Declared list names. */
  readonly lists: readonly string[];
  /** Declared rule groups; none where absent. */
  readonly groups?: readonly string[];
}

export const maxRules = 500;

export function emptyRuleResults(): RuleResults {
  return { live: [], fired: [], errors: [] };
}

/** Checks and compiles rules. Problems name the rule by its index and the field by its path inside the rule. */
export function compileRuleSet(definitions: readonly RuleDefinition[], scope: RuleScope): Checked<RuleSet> {
  return runSteps(ruleSetSteps(definitions, scope));
}

/** The same, a step for each rule. */
export function* ruleSetSteps(definitions: readonly RuleDefinition[], scope: RuleScope): Steps<Checked<RuleSet>> {
  const problems: ConfigurationProblem[] = [];
  const rules: CompiledRule[] = [];
  const seen = new Set<string>();
  const groups = scope.groups ?? [];
  if (definitions.length > maxRules) {
    const message = `${definitions.length} rules; at most ${maxRules} are allowed`;
    problems.push({ code: 'SLUICE_RULE_COUNT', section: 'rules', path: [], message });
  }
  for (const [index, definition] of definitions.slice(0, maxRules).entries()) {
    const found: RuleFault[] = [...ruleFaults(definition)];
    if (seen.has(definition.id))
      found.push({ code: 'SLUICE_RULE_DUPLICATE', path: ['id'], message: `a second rule '${definition.id}'` });
    seen.add(definition.id);
    const { group } = definition;
    if (group !== undefined && !groups.includes(group))
      found.push({ code: 'SLUICE_RULE_GROUP', path: ['group'], message: unknownGroup(group, groups) });
    const compiled = compileCel(definition.when, { kind: 'rule', params: definition.params, ...scope });
    if (compiled.ok) {
      const used = new Set(compiled.value.params);
      for (const name of Object.keys(definition.params))
        if (!used.has(name))
          found.push({ code: 'SLUICE_RULE_PARAM', path: ['params', name], message: `p.${name} is not used in when` });
      rules.push({ definition, expression: compiled.value, reason: ruleReason(definition) });
    } else {
      const message = `${compiled.message} (at character ${compiled.position + 1} of when)`;
      found.push({ code: compiled.code, path: ['when'], message });
    }
    for (const problem of found)
      problems.push({
        code: problem.code,
        section: 'rules',
        index,
        path: problem.path,
        message: `rule '${definition.id}': ${problem.message}`,
      });
    yield;
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: ruleSetOf(rules) };
}

function unknownGroup(group: string, groups: readonly string[]): string {
  const declared = groups.length === 0 ? 'none is' : `declared: ${groups.join(', ')}`;
  return `no rule group '${group}' is declared in policy.ruleGroups (${declared})`;
}

interface ActiveRule {
  readonly rule: CompiledRule;
  readonly test: (context: EvaluationContext) => boolean;
  readonly isLive: boolean;
  readonly rolloutPercent: number;
  readonly rolloutSeed: number;
  readonly firing: RuleFiring;
  readonly snoozedFiring: RuleFiring;
}

function ruleSetOf(rules: readonly CompiledRule[]): RuleSet {
  const active: ActiveRule[] = rules
    .filter(({ definition }) => definition.mode !== 'off')
    .map((rule) => {
      const { id, version, mode, rollout } = rule.definition;
      return {
        rule,
        test: rule.expression.test,
        isLive: mode === 'live',
        rolloutPercent: rollout,
        rolloutSeed: fnv1a(`${id}/`),
        firing: { rule: id, version, mode, snoozed: false },
        snoozedFiring: { rule: id, version, mode, snoozed: true },
      };
    });
  return {
    rules,
    evaluate(context, into) {
      into.live.length = 0;
      into.fired.length = 0;
      into.errors.length = 0;
      for (const candidate of active) {
        let fires: boolean;
        try {
          fires = candidate.test(context);
        } catch (error) {
          into.errors.push(ruleError(candidate.rule.definition, error));
          continue;
        }
        if (!fires || !isInRollout(candidate.rolloutSeed, candidate.rolloutPercent, context.tx)) continue;
        const isSuppressed = isSnoozed(candidate.rule.definition.id, context.tx, context.lists);
        into.fired.push(isSuppressed ? candidate.snoozedFiring : candidate.firing);
        if (candidate.isLive && !isSuppressed) into.live.push(candidate.rule);
      }
    },
  };
}

/** The message is part of the decision record, so only the compiler's own words get into it. */
function ruleError(definition: RuleDefinition, error: unknown): RuleError {
  const message = error instanceof CelEvaluationError ? error.message : 'the rule failed for an unknown reason';
  return { rule: definition.id, version: definition.version, message };
}

function ruleReason({ id, version, then, text }: RuleDefinition): Reason {
  return {
    code: then.code,
    rule: id,
    version,
    list: null,
    feature: null,
    contribution: null,
    value: null,
    text: { en: text.en, zh: text.zh },
  };
}
