import { canonicalJson } from '../../operators/canonicalJson.ts';
import type { CompiledConfiguration } from '../../operators/configuration.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../../operators/definitions.ts';
import type { CompiledRule } from '../../operators/rules/ruleSet.ts';
import { HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteText } from '../../operators/sql/sqlText.ts';

/** Of a UInt64. */
const PLACES = 64;
/** As rule_firings has them. */
const RESULTS = ['fired', 'failed'] as const;
type Result = (typeof RESULTS)[number];

/**
 * Rules of which the history holds on which payments they fired and failed: those that every rule set which decided in the span had
 * with the same condition. They are read and not evaluated again, which spares the features that only they read.
 */
export class RecordedFirings {
  readonly #places = new Map<string, number>();

  /** SQL over the payments p: whether it fired, in its rollout. */
  fired(rule: string): string {
    return this.#bit('fired', rule);
  }

  /** SQL over the payments p: whether it failed to evaluate. */
  failed(rule: string): string {
    return this.#bit('failed', rule);
  }

  /** Columns by which `fired` and `failed` know, of the rows that `joinSql` gives. */
  get columns(): readonly string[] {
    return this.#words().map(({ name }) => name);
  }

  /** A join that gives the payments d these columns as r; '' where no rule was asked about. `within`: of a ledger_offset. */
  joinSql(within: string): string {
    if (this.#places.size === 0) return '';
    const rules = [...this.#places.keys()].map(quoteText).join(', ');
    const places = [...this.#places.values()].join(', ');
    const columns = this.#words().map(
      ({ name, result, word }) =>
        `groupBitOrIf(bitShiftLeft(toUInt64(1), place % ${PLACES}), ` +
        `result = '${result}' AND intDiv(place, ${PLACES}) = ${word}) AS ${name}`,
    );
    return `
LEFT ANY JOIN (
  SELECT ledger_offset, ${columns.join(', ')}
  FROM (SELECT ledger_offset, toString(result) AS result, transform(toString(rule), [${rules}], [${places}], 0) AS place
    FROM ${HISTORY_DATABASE}.rule_firings WHERE ${within} AND rule IN (${rules}))
  GROUP BY ledger_offset
) AS r ON r.ledger_offset = d.ledger_offset`;
  }

  #bit(result: Result, rule: string): string {
    const place = this.#places.get(rule) ?? this.#places.size;
    this.#places.set(rule, place);
    return `bitTest(p.${wordName(result, Math.floor(place / PLACES))}, ${place % PLACES})`;
  }

  #words(): readonly { readonly name: string; readonly result: Result; readonly word: number }[] {
    const words = Array.from({ length: Math.ceil(this.#places.size / PLACES) }, (_, word) => word);
    return words.flatMap((word) => RESULTS.map((result) => ({ name: wordName(result, word), result, word })));
  }
}

function wordName(result: Result, word: number): string {
  return `${result}_${word}`;
}

/**
 * Whether all of `deciding`, none of which may be unknown, had this rule of the configuration with the same condition and rollout, and
 * the lists that it reads. What its features meant is for the caller to compare.
 */
export function isRecorded(
  { definition: rule, expression }: CompiledRule,
  { definition }: CompiledConfiguration,
  deciding: readonly ConfigurationDefinition[],
): boolean {
  const lists = ({ lists: declared }: ConfigurationDefinition): string =>
    canonicalJson(expression.lists.map((wanted) => declared.find(({ name }) => name === wanted) ?? null));
  const condition = ({ when, params, rollout }: RuleDefinition): string => canonicalJson({ when, params, rollout });
  return (
    deciding.length > 0 &&
    deciding.every((configuration) => {
      const was = configuration.rules.find(({ id }) => id === rule.id);
      if (was === undefined || was.mode === 'off') return false;
      return condition(was) === condition(rule) && lists(configuration) === lists(definition);
    })
  );
}
