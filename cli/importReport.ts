import type { ImportProgress } from '../pipeline/import/importRun.ts';
import { HistoryReader } from './historyReader.ts';
import type { RunningHistory } from './runningHistory.ts';

interface ImportReport extends ImportProgress {
  readonly seconds: number;
  readonly paymentsPerSecond: number;
  /** Null: imported without history. */
  readonly history: HistoryReport | null;
}

/** Counted in ClickHouse. */
interface HistoryReport {
  readonly transactions: number;
  readonly decisions: number;
  readonly labels: number;
  readonly verdicts: Readonly<Record<string, number>>;
  /** `flagged`: any verdict but approve. A payment without a fraud label counts as genuine. */
  readonly flagged: Quality;
  readonly declined: Quality;
}

interface Quality {
  readonly payments: number;
  readonly frauds: number;
  readonly precision: number | null;
  readonly recall: number | null;
  /** Genuine payments among them, as a share of all genuine payments. */
  readonly falsePositiveRate: number | null;
}

export async function importReport(
  history: RunningHistory | null,
  progress: ImportProgress,
  seconds: number,
): Promise<ImportReport> {
  return {
    ...progress,
    seconds,
    paymentsPerSecond: (progress.payments - progress.resumedPayments) / seconds,
    history: history === null ? null : await historyReport(history),
  };
}

async function historyReport(history: RunningHistory): Promise<HistoryReport> {
  const reader = new HistoryReader(history.server);
  const number = async (query: string): Promise<number> => Number((await reader.rows(query))[0]?.['value'] ?? 0);
  const frauds = `(SELECT transaction_offset FROM sluice.latest_labels WHERE label = 'fraud')`;
  const quality = async (condition: string): Promise<Quality> => {
    const [row] = await reader.rows(
      `SELECT countIf(${condition}) AS payments, countIf(${condition} AND ledger_offset IN ${frauds}) AS frauds,
         countIf(ledger_offset IN ${frauds}) AS all_frauds, count() AS everything FROM sluice.decisions`,
    );
    const found = Number(row?.['frauds'] ?? 0);
    const payments = Number(row?.['payments'] ?? 0);
    const allFrauds = Number(row?.['all_frauds'] ?? 0);
    const genuine = Number(row?.['everything'] ?? 0) - allFrauds;
    return {
      payments,
      frauds: found,
      precision: payments === 0 ? null : found / payments,
      recall: allFrauds === 0 ? null : found / allFrauds,
      falsePositiveRate: genuine === 0 ? null : (payments - found) / genuine,
    };
  };
  const verdicts = await reader.rows(
    'SELECT verdict, count() AS value FROM sluice.decisions GROUP BY verdict ORDER BY verdict',
  );
  const report = {
    transactions: await number('SELECT count() AS value FROM sluice.transactions'),
    decisions: await number('SELECT count() AS value FROM sluice.decisions'),
    labels: await number('SELECT count() AS value FROM sluice.labels'),
    verdicts: Object.fromEntries(verdicts.map((row) => [String(row['verdict']), Number(row['value'])])),
    flagged: await quality("verdict != 'approve'"),
    declined: await quality("verdict = 'decline'"),
  };
  await reader.close();
  return report;
}

export function reportText(report: ImportReport): string {
  return (
    `Payments    ${count(report.payments)}, labels ${count(report.labels)}, refused ${count(report.deadLetters)}\n` +
    `Time        ${report.seconds.toFixed(1)} s, ${count(Math.round(report.paymentsPerSecond))} payments/s end to end\n` +
    (report.history === null
      ? 'History     none (--no-history); the next run with history writes it\n'
      : historyText(report.history))
  );
}

function historyText(history: HistoryReport): string {
  const verdicts = Object.entries(history.verdicts).map(([verdict, value]) => `${verdict} ${count(value)}`);
  return (
    `History     ${count(history.transactions)} transactions, ${count(history.decisions)} decisions, ` +
    `${count(history.labels)} labels in ClickHouse\n` +
    `Verdicts    ${verdicts.join(', ')}\n` +
    qualityText('Flagged', history.flagged) +
    qualityText('Declined', history.declined)
  );
}

function qualityText(name: string, { payments, precision, recall, falsePositiveRate }: Quality): string {
  return (
    `${name.padEnd(12)}${count(payments)} payments, precision ${percent(precision)}, recall ${percent(recall)}, ` +
    `false positives ${percent(falsePositiveRate, 2)}\n`
  );
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function percent(value: number | null, digits = 1): string {
  return value === null ? '-' : `${(100 * value).toFixed(digits)}%`;
}
