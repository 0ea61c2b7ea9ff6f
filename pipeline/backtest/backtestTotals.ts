import { z } from 'zod';
import type {
  AlertLoad,
  Amounts,
  BacktestReport,
  LabelCounts,
  MoneyLine,
  Quality,
  RuleLine,
  RuleOutcome,
  VerdictFlow,
} from './backtestReport.ts';
import { labelAt, type BacktestLabel, type BacktestQuery } from './backtestQuery.ts';
import { BACKTEST_VERDICTS, type BacktestVerdict, type RuleColumns } from './verdictSql.ts';

const rowShape = z.object({
  day: z.string(),
  verdict_before: z.number(),
  verdict_after: z.number(),
  label: z.number(),
  currency: z.string(),
  payments: z.number(),
  amount_minor: z.number(),
  own: z.number(),
  own_equal: z.number(),
  examples: z.array(z.tuple([z.number(), z.number()])),
  counts: z.array(z.number()),
});

/** One group of payments: those of a day with the same verdicts, label and currency. */
type Group = Omit<z.infer<typeof rowShape>, 'label'> & {
  readonly before: BacktestVerdict;
  readonly after: BacktestVerdict;
  readonly label: BacktestLabel;
};

/** Sums over the groups that the query gives. */
export class BacktestTotals {
  readonly #groups: readonly Group[];
  readonly #query: BacktestQuery;

  constructor(rows: readonly unknown[], query: BacktestQuery) {
    this.#query = query;
    this.#groups = rows.map((row) => {
      const group = rowShape.parse(row);
      return {
        ...group,
        before: verdictAt(group.verdict_before),
        after: verdictAt(group.verdict_after),
        label: labelAt(group.label),
      };
    });
  }

  flows(): readonly VerdictFlow[] {
    const flows: VerdictFlow[] = [];
    for (const before of BACKTEST_VERDICTS)
      for (const after of BACKTEST_VERDICTS) {
        const groups = this.#groups.filter((group) => group.before === before && group.after === after);
        if (groups.length === 0) continue;
        flows.push({
          before,
          after,
          payments: sum(groups, 'payments'),
          amountMinor: amounts(groups),
          ...labelCounts(groups),
        });
      }
    return flows;
  }

  labels(): LabelCounts {
    return labelCounts(this.#groups);
  }

  quality(): BacktestReport['quality'] {
    const known = this.#groups.filter(isKnown);
    const frauds = labelCounts(known).fraud;
    const stoppedNow = known.filter(isStopped);
    const freed = known.filter(isFreed);
    const missedBefore = labelCounts(known.filter(({ before }) => before === 'approve')).fraud;
    return {
      before: quality(labelCounts(known.filter(({ before }) => before !== 'approve')), frauds),
      after: quality(labelCounts(known.filter(({ after }) => after !== 'approve')), frauds),
      newlyStopped: quality(labelCounts(stoppedNow), missedBefore),
      newlyApproved: labelCounts(freed),
    };
  }

  money(): readonly MoneyLine[] {
    const known = this.#groups.filter(isKnown);
    const currencies = [...new Set(known.map(({ currency }) => currency))].sort();
    return currencies.map((currency) => {
      const amountOf = (label: BacktestLabel, which: (group: Group) => boolean): number =>
        sum(
          known.filter((group) => group.currency === currency && group.label === label && which(group)),
          'amount_minor',
        );
      return {
        currency,
        fraudStopped: amountOf('fraud', isStopped),
        fraudLetThrough: amountOf('fraud', isFreed),
        genuineStopped: amountOf('genuine', isStopped),
        genuineFreed: amountOf('genuine', isFreed),
        unlabelledStopped: amountOf('unlabelled', isStopped),
        unlabelledFreed: amountOf('unlabelled', isFreed),
      };
    });
  }

  alerts(
    side: 'before' | 'after',
    verdicts: readonly BacktestVerdict[],
    { days, capacityPerDay }: { readonly days: number; readonly capacityPerDay: number | null },
  ): AlertLoad {
    const byDay = new Map<string, number>();
    for (const group of this.#groups)
      if (verdicts.includes(group[side])) byDay.set(group.day, (byDay.get(group.day) ?? 0) + group.payments);
    const alerts = [...byDay.values()].reduce((total, count) => total + count, 0);
    const [busiest] = [...byDay].sort(([a, one], [b, other]) => other - one || a.localeCompare(b));
    return {
      alerts,
      perDay: alerts / Math.max(1, days),
      busiestDay: busiest?.[0] ?? null,
      onBusiestDay: busiest?.[1] ?? 0,
      daysOverCapacity:
        capacityPerDay === null ? null : [...byDay.values()].filter((count) => count > capacityPerDay).length,
    };
  }

  rules(): readonly RuleLine[] {
    const { before, after } = this.#query;
    const ids = new Set([...after.rules, ...before.rules].map(({ rule }) => rule.id));
    return [...ids].map((id) => {
      const outcome = (rules: readonly RuleColumns[]): RuleOutcome | null => {
        const columns = rules.find(({ rule }) => rule.id === id);
        return columns === undefined ? null : this.#outcome(columns);
      };
      return { rule: id, before: outcome(before.rules), after: outcome(after.rules) };
    });
  }

  check(): BacktestReport['check'] {
    return { payments: sum(this.#groups, 'own'), equal: sum(this.#groups, 'own_equal') };
  }

  /** Offsets of some payments whose verdict changes: of every pair of verdicts in turn, the commonest pair first. */
  exampleOffsets(count: number): readonly number[] {
    const pairs = new Map<string, { payments: number; examples: (readonly [number, number])[] }>();
    for (const group of this.#groups.filter(isKnown)) {
      if (group.before === group.after) continue;
      const key = `${group.before} ${group.after}`;
      const pair = pairs.get(key) ?? { payments: 0, examples: [] };
      pairs.set(key, pair);
      pair.payments += group.payments;
      pair.examples.push(...group.examples);
    }
    const queues = [...pairs.values()]
      .sort((one, other) => other.payments - one.payments)
      .map(({ examples }) => examples.sort((one, other) => one[0] - other[0] || one[1] - other[1]));
    const chosen: number[] = [];
    for (let turn = 0; turn < count; turn++)
      for (const queue of queues) {
        const example = queue[turn];
        if (example !== undefined && chosen.length < count) chosen.push(example[1]);
      }
    return chosen;
  }

  #outcome({ rule, fires, failed, unknown }: RuleColumns): RuleOutcome {
    const hits = (groups: readonly Group[], column: string | null): number => {
      const place = column === null ? -1 : this.#query.columns.indexOf(column);
      return groups.reduce((total, { counts }) => total + (counts[place] ?? 0), 0);
    };
    const labelled = (label: BacktestLabel): number =>
      hits(
        this.#groups.filter((group) => group.label === label),
        fires,
      );
    return {
      version: rule.version,
      mode: rule.mode,
      rollout: rule.rollout,
      hits: hits(this.#groups, fires),
      failed: hits(this.#groups, failed),
      unknown: hits(this.#groups, unknown),
      fraud: labelled('fraud'),
      genuine: labelled('genuine'),
      unlabelled: labelled('unlabelled'),
    };
  }
}

export function verdictAt(place: number): BacktestVerdict {
  const verdict = BACKTEST_VERDICTS[place];
  if (verdict === undefined) throw new Error(`a backtest gave verdict ${place}`);
  return verdict;
}

function isKnown({ before, after }: Group): boolean {
  return before !== 'unknown' && after !== 'unknown';
}

function isStopped({ before, after }: Group): boolean {
  return before === 'approve' && after !== 'approve';
}

function isFreed({ before, after }: Group): boolean {
  return before !== 'approve' && after === 'approve';
}

function sum(groups: readonly Group[], field: 'payments' | 'amount_minor' | 'own' | 'own_equal'): number {
  return groups.reduce((total, group) => total + group[field], 0);
}

function labelCounts(groups: readonly Group[]): LabelCounts {
  const of = (label: BacktestLabel): number =>
    sum(
      groups.filter((group) => group.label === label),
      'payments',
    );
  return { fraud: of('fraud'), genuine: of('genuine'), unlabelled: of('unlabelled') };
}

function amounts(groups: readonly Group[]): Amounts {
  const byCurrency: Record<string, number> = {};
  for (const { currency, amount_minor } of groups) byCurrency[currency] = (byCurrency[currency] ?? 0) + amount_minor;
  return byCurrency;
}

function quality(found: LabelCounts, frauds: number): Quality {
  const { fraud, genuine, unlabelled } = found;
  const share = (total: number): number | null => (total === 0 ? null : fraud / total);
  return {
    ...found,
    precision: share(fraud + genuine),
    precisionAtLeast: share(fraud + genuine + unlabelled),
    recall: share(frauds),
  };
}
