import { compileConfiguration, type CompiledConfiguration } from '../operators/configuration.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../operators/definitions.ts';

/** Every so manieth rule is another in the new rule set. */
export const CHANGED_EVERY = 10;

/** The deployment's rules over and over, each time with other limits; `isNew`: some with others again. */
export function withRules(definition: ConfigurationDefinition, count: number, isNew: boolean): CompiledConfiguration {
  const rules = Array.from({ length: count }, (_, index): RuleDefinition => {
    const rule = definition.rules[index % definition.rules.length];
    if (rule === undefined) throw new Error('the deployment has no rules');
    const round = Math.floor(index / definition.rules.length);
    const factor = 1 + round / 10 + (isNew && index % CHANGED_EVERY === 0 ? 0.25 : 0);
    const params = Object.fromEntries(
      Object.entries(rule.params).map(([name, value]) => [name, typeof value === 'number' ? value * factor : value]),
    );
    return { ...rule, id: `${rule.id}-${round}`, params, examples: [] };
  });
  const compiled = compileConfiguration({ ...definition, ruleSetVersion: isNew ? 'new' : 'old', rules });
  if (compiled.ok) return compiled.value;
  throw new Error(compiled.problems.map(({ message }) => message).join('\n'));
}
