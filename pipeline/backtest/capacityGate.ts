import type { BacktestReport } from './backtestReport.ts';

/** As schemas/rule-set-publication.avsc bounds it. */
const MAX_REASON_LENGTH = 256;

/** What stands against a publication: more alerts a day than the review team has declared to work off. Null: nothing. */
export interface CapacityExcess {
  readonly alertsPerDay: number;
  readonly capacityPerDay: number;
}

export function capacityExcess({ alerts }: Pick<BacktestReport, 'alerts'>): CapacityExcess | null {
  const { capacityPerDay, after } = alerts;
  if (capacityPerDay === null || after.perDay <= capacityPerDay) return null;
  return { alertsPerDay: after.perDay, capacityPerDay };
}

/** The excess in words, without a full stop. */
export function excessText({ alertsPerDay, capacityPerDay }: CapacityExcess): string {
  const alerts = alertsPerDay.toLocaleString('en', { maximumFractionDigits: 1 });
  return `${alerts} alerts a day, the review team's capacity is ${capacityPerDay.toLocaleString('en')}`;
}

/** What the ledger keeps as a forced publication's reason: what was forced, why, and the publication's own reason as far as there is room. */
export function forcedReason(what: string, force: string, reason: string): string {
  return `forced (${what}): ${force}; ${reason}`.slice(0, MAX_REASON_LENGTH);
}
