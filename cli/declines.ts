import { Command } from 'commander';
import { z } from 'zod';
import {
  declinePrecisionQuery,
  letThroughCountsQuery,
  type PrecisionSpan,
} from '../infra/clickhouse/declinePrecisionQuery.ts';
import { HISTORY_DATABASE } from '../operators/sql/history.ts';
import { declinePrecision, type DeclinePrecision, type LetThroughSums } from '../pipeline/declinePrecision.ts';
import { requirePlace } from './deployment.ts';
import { askHistory, withHistoryOptions, type HistoryAccessOptions } from './historyAccess.ts';
import { numberOption } from './options.ts';
import { textTable } from './textTable.ts';

/** With fewer accounts an interval says little but that there are few. */
const FEW_ACCOUNTS = 30;

const NOTHING =
  'No payment was let through yet, so nothing is known of declines: set policy.letThrough in sluice.yaml, publish it, and wait for ' +
  'payments and their labels.\n';

interface DeclinesOptions extends HistoryAccessOptions {
  readonly days: number;
  readonly mature: number;
  readonly json?: boolean;
}

export function declinesCommand(): Command {
  const command = new Command('declines')
    .description(
      'How many declines are right, without bias: by what became of those that were let through (letThrough).',
    )
    .addOption(numberOption('--days <days>', 'of so many days of payments', 1, 3_650).default(90))
    .addOption(
      numberOption(
        '--mature <days>',
        'leave out payments younger than this: their frauds are not known yet',
        0,
        365,
      ).default(45),
    );
  return withHistoryOptions(command)
    .option('--json', 'the figures as JSON')
    .addHelpText(
      'after',
      `
A declined payment never turns out to be fraud or genuine. So a share of the declines up to an amount can be let through, drawn by account:
policy.letThrough in sluice.yaml. Each such payment stands for 100 / percent declines. A payment that no label calls fraud after --mature
days counts as genuine. The interval holds the true share 95 times in a hundred. The payments: view ${HISTORY_DATABASE}.let_through_payments.`,
    )
    .action(async (options: DeclinesOptions) => {
      const deployment = await requirePlace(options.config);
      const span = { days: options.days, matureDays: options.mature };
      const found = await askHistory(deployment, options, async (reader) => {
        const [[views = 0] = []] = await reader.numberRows(
          `SELECT count() FROM system.tables WHERE database = '${HISTORY_DATABASE}' AND name = 'let_through_payments'`,
        );
        if (views === 0) return { total: 0, young: 0, ended: 0, rows: [] };
        const [[total = 0, young = 0, ended = 0] = []] = await reader.numberRows(letThroughCountsQuery(span));
        return { total, young, ended, rows: await reader.rows(declinePrecisionQuery(span)) };
      });
      const { total: letThrough, young, ended, rows } = found;
      const report = { ...span, letThrough, young, ended, lines: rows.map(lineOf) };
      process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : text(report));
    });
}

interface DeclinesLine {
  /** Null: all would-be declines. */
  readonly code: string | null;
  readonly payments: number;
  readonly frauds: number;
  readonly accounts: number;
  readonly estimate: DeclinePrecision | null;
  /** What the payments stand for, in minor units by currency. */
  readonly fraudAmountMinor: Readonly<Record<string, number>>;
  readonly genuineAmountMinor: Readonly<Record<string, number>>;
}

interface DeclinesReport extends PrecisionSpan {
  readonly letThrough: number;
  readonly young: number;
  readonly ended: number;
  readonly lines: readonly DeclinesLine[];
}

const count = z.coerce.number();
const amounts = z.record(z.string(), count);
const rowShape = z.object({
  code: z.string(),
  payments: count,
  frauds: count,
  accounts: count,
  weight: count,
  fraud_weight: count,
  weight_squares: count,
  fraud_weight_squares: count,
  products: count,
  fraud_amount_minor: amounts,
  genuine_amount_minor: amounts,
});

function lineOf(row: unknown): DeclinesLine {
  const { code, payments, frauds, accounts, weight, products, ...rest } = rowShape.parse(row);
  const sums: LetThroughSums = {
    ...{ payments, frauds, accounts, weight, products },
    fraudWeight: rest.fraud_weight,
    weightSquares: rest.weight_squares,
    fraudWeightSquares: rest.fraud_weight_squares,
  };
  return {
    code: code === '' ? null : code,
    ...{ payments, frauds, accounts },
    estimate: declinePrecision(sums),
    fraudAmountMinor: wholeAmounts(rest.fraud_amount_minor),
    genuineAmountMinor: wholeAmounts(rest.genuine_amount_minor),
  };
}

function wholeAmounts(given: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(given).map(([currency, amount]) => [currency, Math.round(amount)]));
}

function text({ days, matureDays, letThrough, young, ended, lines }: DeclinesReport): string {
  if (letThrough === 0) return NOTHING;
  const [all] = lines;
  const counted = (value: number): string => Math.round(value).toLocaleString('en');
  const head = `${counted(letThrough)} payments were let through; ${counted(young)} are younger than ${matureDays} days, ${counted(ended)} ended otherwise\n`;
  if (all?.estimate === null || all?.estimate === undefined)
    return `${head}None is ${matureDays} to ${days + matureDays} days old: nothing can be said yet (--mature, --days).\n`;
  const { declines, genuineDeclines } = all.estimate;
  const rows = lines.map(({ code, payments, frauds, accounts, estimate }) => [
    code ?? 'all',
    counted(payments),
    counted(accounts),
    counted(frauds),
    estimate === null ? '-' : percent(estimate.precision),
    estimate === null ? '-' : `${percent(estimate.low)} to ${percent(estimate.high)}`,
    estimate === null ? '-' : counted(estimate.declines),
    estimate === null ? '-' : counted(estimate.genuineDeclines),
  ]);
  const titles = ['reason', 'let through', 'accounts', 'fraud', 'precision', '95% interval', 'declines', 'genuine'];
  const few = `Only ${all.accounts} accounts: a figure from fewer than ${FEW_ACCOUNTS} says little; look at the interval.\n`;
  return (
    `${head}\n${textTable([titles, ...rows], [0])}\n` +
    `These stand for about ${counted(declines)} declines that could be let through, ${counted(genuineDeclines)} of them genuine ` +
    `payments${amountsText(all.genuineAmountMinor)}.\n${all.accounts < FEW_ACCOUNTS ? few : ''}`
  );
}

function amountsText(given: Readonly<Record<string, number>>): string {
  const parts = Object.entries(given).map(([currency, amount]) => `${amount.toLocaleString('en')} ${currency}`);
  return parts.length === 0 ? '' : ` of ${parts.join(', ')} (minor units)`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
