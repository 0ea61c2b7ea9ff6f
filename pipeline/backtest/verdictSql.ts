import type { CelColumns } from '../../operators/cel/sql/celColumns.ts';
import { celToSql } from '../../operators/cel/sql/celToSql.ts';
import { isTextField, paymentColumns, textAttribute } from '../../operators/cel/sql/paymentColumns.ts';
import type { CompiledConfiguration } from '../../operators/configuration.ts';
import type {
  EntityName,
  LetThroughDefinition,
  ListDefinition,
  ListEntity,
  PolicyDefinition,
  RuleDefinition,
  Thresholds,
} from '../../operators/definitions.ts';
import { featureMeanings } from '../../operators/features/catalogue.ts';
import { letThroughName } from '../../operators/letThrough.ts';
import { rangeKindOf } from '../../operators/lists/listSubject.ts';
import { SNOOZES, snoozeValue } from '../../operators/lists/snoozes.ts';
import { rolloutSql } from '../../operators/rules/rolloutSql.ts';
import type { CompiledRule } from '../../operators/rules/ruleSet.ts';
import { FEATURE_PREFIX } from '../../operators/sql/history.ts';
import { quoteName, quoteText } from '../../operators/sql/sqlText.ts';
import type { HistoryFacts } from './historyFacts.ts';
import { listMembershipSql, type ListQuestion } from './listSql.ts';
import { pointsSql, pointsVerdictSql, type CountedRule } from './pointsSql.ts';
import { isPlainColumn, type PaymentsSource } from './paymentsSql.ts';
import { isRecorded, RecordedFirings } from './recordedFirings.ts';

/** Verdicts by their place: the more severe, the greater. `unknown` is what history cannot tell. */
export const BACKTEST_VERDICTS = ['approve', 'challenge', 'review', 'decline', 'unknown'] as const;
export type BacktestVerdict = (typeof BACKTEST_VERDICTS)[number];
const UNKNOWN = BACKTEST_VERDICTS.indexOf('unknown');
const DECLINE = BACKTEST_VERDICTS.indexOf('decline');

/** A rule as columns of the query: each is the name of a truth value. */
export interface RuleColumns {
  readonly rule: RuleDefinition;
  /** It fired, in its rollout. */
  readonly fires: string;
  /** It fired and is not snoozed. */
  readonly counts: string;
  /** It failed to evaluate; null where it cannot. */
  readonly failed: string | null;
  /** Whether it fires is not in the history; null where all that it reads is. */
  readonly unknown: string | null;
}

/** A configuration as SQL over the payments p. */
export interface VerdictSql {
  /** Rules that are not off, in order. */
  readonly rules: readonly RuleColumns[];
  /** Place of the verdict in BACKTEST_VERDICTS, and of the one that the model alone would give. */
  readonly verdict: string;
  readonly modelVerdict: string;
  /** Points of all rule groups, and place of the verdict that they alone would give; null where no rule is in a group. */
  readonly points: string | null;
  readonly pointsVerdict: string | null;
  /** Whether a decline was let through; null where none can be. */
  readonly letThrough: string | null;
  /** Lists that decided, whatever the rules say: name of the list and whether the payment was on it. */
  readonly lists: readonly { readonly list: ListDefinition; readonly sql: string }[];
  /** No share of the accounts, which is dear to tell, is computed. */
  readonly isCheap: boolean;
  /** Features that are read and that history holds at least in part. */
  readonly features: readonly string[];
  /** Features that are read and are not recorded as this configuration means them, with the catalogues that lack them. */
  readonly unrecorded: ReadonlyMap<string, readonly string[]>;
}

/**
 * Names for SQL that is used more than once: what is the same in two configurations is computed once. Each is a column of a subquery
 * over those that it is made of: where names stand for expressions of one SELECT, ClickHouse copies each as often as it is named,
 * looks lists up as often, and takes 2 s to plan 50 rules.
 */
export class SharedColumns {
  readonly firings = new RecordedFirings();
  readonly #lists = new Map<string, string>();
  readonly #names = new Map<string, string>();
  /** Subqueries below the one that has the column of this name. */
  readonly #depths = new Map<string, number>();

  name(prefix: string, sql: string): string {
    const name = named(this.#names, prefix, sql);
    if (!this.#depths.has(name)) {
      const below = (sql.match(/\b[a-z_]+_\d+\b/g) ?? []).map((other) => this.#depths.get(other) ?? -1);
      this.#depths.set(name, Math.max(-1, ...below) + 1);
    }
    return name;
  }

  /** A column that the payments p get. */
  list(sql: string): string {
    return named(this.#lists, 'on_list', sql);
  }

  /** SQL in which the columns of lists stand in full, for where the payments do not have them. */
  withoutLists(sql: string): string {
    let whole = sql;
    for (const [key, name] of this.#lists) whole = whole.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), () => sqlOf(key));
    return whole;
  }

  /** The payments p with all these columns. */
  over(payments: string): string {
    const levels = [[...this.#lists]];
    for (const column of this.#names) (levels[1 + (this.#depths.get(column[1]) ?? 0)] ??= []).push(column);
    return levels.reduce((sql, columns) => {
      const defined = columns.map(([key, name]) => `${sqlOf(key)} AS ${name}`);
      return `SELECT ${['p.*', ...defined].join(',\n  ')}\nFROM (${sql}) AS p`;
    }, payments);
  }
}

function named(names: Map<string, string>, prefix: string, sql: string): string {
  const key = `${prefix} ${sql}`;
  const known = names.get(key);
  if (known !== undefined) return known;
  const name = `${prefix}_${names.size}`;
  names.set(key, name);
  return name;
}

function sqlOf(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

/** Features a configuration's rules read which some decision did not record as the configuration means them. */
export function unrecordedFeatures(
  { catalogue, ruleSet }: CompiledConfiguration,
  { catalogues }: HistoryFacts,
): ReadonlyMap<string, readonly string[]> {
  const meanings = featureMeanings(catalogue);
  const unrecorded = new Map<string, readonly string[]>();
  for (const name of new Set(activeRules(ruleSet.rules).flatMap(({ expression }) => expression.features))) {
    const lacking = [...catalogues].filter(([, recorded]) => recorded.get(name) !== meanings.get(name));
    if (lacking.length > 0)
      unrecorded.set(
        name,
        lacking.map(([sha256]) => sha256),
      );
  }
  return unrecorded;
}

/** Compiles what decides to SQL over the columns of paymentsSql. `offsets`: only these payments are asked about; null: all. */
export function verdictSql(
  configuration: CompiledConfiguration,
  facts: HistoryFacts,
  offsets: readonly number[] | null,
  shared: SharedColumns,
): VerdictSql {
  const { ruleSet, definition } = configuration;
  const active = activeRules(ruleSet.rules);
  const unrecorded = unrecordedFeatures(configuration, facts);
  const evaluated = active.filter(
    (rule) =>
      rule.expression.features.some((name) => unrecorded.has(name)) || !isRecorded(rule, configuration, facts.deciding),
  );
  const features = [...new Set(evaluated.flatMap(({ expression }) => expression.features))].filter(
    (name) => (unrecorded.get(name)?.length ?? 0) < facts.catalogues.size,
  );
  const source: PaymentsSource = { facts, features, offsets, firings: null };
  const columns: CelColumns = {
    payment: 'p.',
    feature: (name) => featureSql(name, unrecorded.get(name) ?? [], facts),
    nullableFeatures: new Set(unrecorded.keys()),
    label: "'none'",
    outcome: "'none'",
    reversed: 'false',
    modelScore: 'p.model_points',
    modelProbability: 'p.model_probability',
    list: (name, text) =>
      shared.list(listMembershipSql(ruleQuestion(configuration, name, shared.withoutLists(bareColumn(text))), source)),
  };
  const snoozed = (rule: string): readonly string[] =>
    facts.snoozes
      .filter((snooze) => snooze.rule === rule)
      .map(({ entity }) => shared.list(listMembershipSql(snoozeQuestion(rule, entity), source)));
  const rules = active.map((rule) =>
    evaluated.includes(rule)
      ? ruleColumns(rule, configuration, { columns, unrecorded, shared, snoozed })
      : recordedColumns(rule, { shared, snoozed }),
  );
  const lists = definition.lists
    .filter(({ kind, name }) => kind !== 'watch' && facts.lists.has(name))
    .map((list) => ({
      list,
      sql: shared.list(listMembershipSql(subjectQuestion(list), source)),
    }));
  const { thresholds } = definition.policy;
  const modelVerdict = shared.name(
    'model_verdict',
    `multiIf(p.risk_level = 'elevated', ${modelSql(thresholds.elevated)}, ` +
      `p.risk_level = 'lockdown', ${modelSql(thresholds.lockdown)}, ${modelSql(thresholds.normal)})`,
  );
  const { decided, points, pointsVerdict } = decidedSql(modelVerdict, rules, definition.policy, shared);
  const isLetThrough = letThroughSql(definition.policy.letThrough, decided, lists, shared);
  const verdict = verdictWithListsSql(decided, isLetThrough, lists, shared);
  const isCheap = isLetThrough === null && evaluated.every(({ definition: { rollout } }) => rollout >= 100);
  return {
    ...{ rules, isCheap, lists, features, unrecorded, modelVerdict, points, pointsVerdict, verdict },
    letThrough: isLetThrough,
  };
}

function activeRules(rules: readonly CompiledRule[]): readonly CompiledRule[] {
  return rules.filter(({ definition }) => definition.mode !== 'off');
}

function featureSql(name: string, lacking: readonly string[], { catalogues }: HistoryFacts): string {
  const column = `p.${quoteName(FEATURE_PREFIX + name)}`;
  if (lacking.length === 0) return column;
  if (lacking.length === catalogues.size) return "CAST(NULL, 'Nullable(Float64)')";
  return `if(${isOneOf(lacking)}, NULL, ${column})`;
}

function isOneOf(catalogues: readonly string[]): string {
  return `p.catalogue_sha256 IN (${catalogues.map(quoteText).join(', ')})`;
}

interface RuleSources {
  readonly shared: SharedColumns;
  /** Of a rule: SQL that holds where it is snoozed. */
  readonly snoozed: (rule: string) => readonly string[];
}

/** Of a rule that is not evaluated, because what it did is in the history. */
function recordedColumns({ definition }: CompiledRule, sources: RuleSources): RuleColumns {
  const { shared } = sources;
  const { id } = definition;
  const fires = shared.name('fires', shared.firings.fired(id));
  const failed = shared.name('failed', shared.firings.failed(id));
  return { rule: definition, fires, counts: countsOf(fires, awakeSql(id, sources), shared), failed, unknown: null };
}

/** SQL that follows where a rule counts only while it is awake; '' where it was never snoozed. */
function awakeSql(rule: string, { snoozed }: RuleSources): string {
  const snoozes = snoozed(rule).join(' OR ');
  return snoozes === '' ? '' : ` AND NOT (${snoozes})`;
}

function countsOf(fires: string, isAwake: string, shared: SharedColumns): string {
  return isAwake === '' ? fires : shared.name('counts', `toUInt8(${fires}${isAwake})`);
}

function ruleColumns(
  { definition, expression }: CompiledRule,
  configuration: CompiledConfiguration,
  {
    columns,
    unrecorded,
    shared,
    snoozed,
  }: RuleSources & {
    readonly columns: CelColumns;
    readonly unrecorded: VerdictSql['unrecorded'];
  },
): RuleColumns {
  const { catalogue, listNames } = configuration;
  const scope = { kind: 'rule', features: catalogue.names, lists: listNames, params: definition.params } as const;
  const { sql, canFail } = celToSql(definition.when, scope, columns);
  const condition = shared.name('condition', sql);
  const holds = canFail ? `ifNull(${condition}, false)` : condition;
  const rollout = rolloutSql(definition.id, definition.rollout, 'p.');
  const fires = shared.name(
    'fires',
    rollout === null ? `toUInt8(${holds})` : `toUInt8(if(${holds}, ${rollout}, false))`,
  );
  const isAwake = awakeSql(definition.id, { shared, snoozed });
  const counts = countsOf(fires, isAwake, shared);
  const lacking = [...new Set(expression.features.flatMap((name) => unrecorded.get(name) ?? []))];
  if (!canFail) return { rule: definition, fires, counts, failed: null, unknown: null };
  if (lacking.length === 0)
    return { rule: definition, fires, counts, failed: shared.name('failed', `isNull(${condition})`), unknown: null };
  // Where a feature is not known, a failure cannot be told from what is not known.
  const failed = shared.name('failed', `(isNull(${condition}) AND NOT ${isOneOf(lacking)})`);
  const isIn = rollout === null ? '' : ` AND ${rollout}`;
  const unknown = shared.name('unknown', `(isNull(${condition}) AND ${isOneOf(lacking)}${isIn}${isAwake})`);
  return { rule: definition, fires, counts, failed, unknown };
}

/** As compilePolicy decides on what no list decides. */
function decidedSql(
  byModel: string,
  rules: readonly RuleColumns[],
  { ruleGroups = [], thresholds }: PolicyDefinition,
  shared: SharedColumns,
): Pick<VerdictSql, 'points' | 'pointsVerdict'> & { readonly decided: string } {
  const live = rules.filter(({ rule }) => rule.mode === 'live');
  const byRules = shared.name('rules_verdict', mostSevereSql(live.map(({ rule, counts }) => [rule, counts])));
  const verdictOfPoints = (
    prefix: string,
    sql: string | null,
  ): readonly [points: string | null, verdict: string | null] => {
    if (sql === null) return [null, null];
    const points = shared.name(prefix, sql);
    return [points, shared.name(`${prefix}_verdict`, pointsVerdictSql(points, thresholds))];
  };
  const [points, pointsVerdict] = verdictOfPoints(
    'points',
    pointsSql(
      ruleGroups,
      live.map(({ rule, counts }) => [rule, counts]),
    ),
  );
  const verdicts = [byModel, byRules, ...(pointsVerdict === null ? [] : [pointsVerdict])];
  const decided = shared.name('decided', `greatest(${verdicts.join(', ')})`);
  const unsure = live.flatMap(({ rule, unknown }) => (unknown === null ? [] : [[rule, unknown] as const]));
  if (unsure.length === 0) return { decided, points, pointsVerdict };
  // Points only grow with what fires, so that the verdict is known where even all that is unknown would not change it.
  const atMost = live.map(({ rule, counts, unknown }): CountedRule => [
    rule,
    unknown === null ? counts : `(${counts} + ${unknown})`,
  ]);
  const [, atMostVerdict] = verdictOfPoints('points_at_most', pointsSql(ruleGroups, atMost));
  const more = [mostSevereSql(unsure), ...(atMostVerdict === null ? [] : [atMostVerdict])];
  const greatest = more.length === 1 ? more.join() : `greatest(${more.join(', ')})`;
  return {
    decided: shared.name('known', `if(${greatest} > ${decided}, ${UNKNOWN}, ${decided})`),
    points,
    pointsVerdict,
  };
}

function verdictWithListsSql(
  decided: string,
  isLetThrough: string | null,
  lists: VerdictSql['lists'],
  shared: SharedColumns,
): string {
  const [blocked, allowed] = [onAnySql(lists, 'block'), onAnySql(lists, 'allow')];
  const cases = [
    ...(blocked === '' ? [] : [`${blocked}, ${DECLINE}`]),
    ...(allowed === '' ? [] : [`${allowed}, 0`]),
    ...(isLetThrough === null ? [] : [`${isLetThrough}, 0`]),
  ];
  return shared.name(
    'verdict',
    `toUInt8(${cases.length === 0 ? decided : `multiIf(${cases.join(', ')}, ${decided})`})`,
  );
}

function onAnySql(lists: VerdictSql['lists'], kind: ListDefinition['kind']): string {
  return lists
    .filter(({ list }) => list.kind === kind)
    .map(({ sql }) => sql)
    .join(' OR ');
}

/** As compileLetThrough has it, of what rules and model decline. */
function letThroughSql(
  definition: LetThroughDefinition | undefined,
  decided: string,
  lists: VerdictSql['lists'],
  shared: SharedColumns,
): string | null {
  if (definition === undefined) return null;
  const { percent, maxAmountMinor } = definition;
  const limits = Object.entries(maxAmountMinor).map(
    ([currency, limit]) => `(p.currency = ${quoteText(currency)} AND p.amount_minor <= ${limit})`,
  );
  const onList = (['block', 'allow'] as const).map((kind) => onAnySql(lists, kind)).filter((sql) => sql !== '');
  const isOff = onList.length === 0 ? '' : ` AND NOT (${onList.join(' OR ')})`;
  const isEligible = `${decided} = ${DECLINE} AND p.risk_level != 'lockdown' AND (${limits.join(' OR ')})${isOff}`;
  const isIn = rolloutSql(letThroughName(definition), percent, 'p.') ?? 'true';
  return shared.name('let_through', `toUInt8(if(${isEligible}, ${isIn}, false))`);
}

function modelSql({ challenge, review, decline }: Thresholds): string {
  const reached = (threshold: number): string => `p.model_points >= ${threshold}`;
  return `multiIf(${reached(decline)}, 3, ${reached(review)}, 2, ${reached(challenge)}, 1, 0)`;
}

function mostSevereSql(rules: readonly (readonly [RuleDefinition, string])[]): string {
  const cases = (['decline', 'review', 'challenge'] as const).flatMap((verdict) => {
    const columns = rules.filter(([rule]) => rule.then.verdict === verdict).map(([, column]) => column);
    return columns.length === 0 ? [] : [`${columns.join(' OR ')}, ${BACKTEST_VERDICTS.indexOf(verdict)}`];
  });
  return cases.length === 0 ? '0' : `multiIf(${cases.join(', ')}, 0)`;
}

/** Whether the payment's own account, card and so on is on a list about it. */
function subjectQuestion({ name, entity }: ListDefinition): ListQuestion {
  return { list: name, ranges: rangeKindOf(entity), text: subjectSql(entity), isOfPayment: true };
}

function ruleQuestion({ definition }: CompiledConfiguration, name: string, text: string): ListQuestion {
  const list = definition.lists.find((each) => each.name === name);
  const ranges = list === undefined ? 'none' : rangeKindOf(list.entity);
  return { list: name, ranges, text, isOfPayment: isPlainColumn(text) };
}

function snoozeQuestion(rule: string, entity: EntityName): ListQuestion {
  const text = `concat(${quoteText(snoozeValue(rule, entity, ''))}, ${subjectSql(entity)})`;
  return { list: SNOOZES, ranges: 'none', text, isOfPayment: true };
}

/** As listSubject has it. */
function subjectSql(entity: ListEntity): string {
  if (entity === 'card') return `p.${paymentColumns['card.token'].column}`;
  if (entity === 'bin') return `p.${paymentColumns['card.bin'].column}`;
  if (isTextField(entity)) return `p.${paymentColumns[entity].column}`;
  return textAttribute('p.', quoteText(entity.replace(/^attributes\./, '')));
}

/** A text that is absent is on no list: a join finds nothing for it. */
function bareColumn(text: string): string {
  return /^assumeNotNull\((p\.\w+)\)$/.exec(text)?.[1] ?? text;
}
