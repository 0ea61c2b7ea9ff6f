import type { AlertLoad, BacktestReport, Quality, RuleLine, RuleOutcome } from '../pipeline/backtest/backtestReport.ts';
import { BACKTEST_VERDICTS } from '../pipeline/backtest/verdictSql.ts';
import { textTable } from './textTable.ts';

/** A backtest's report as a person reads it. */
export function backtestText(report: BacktestReport): string {
  const parts = [
    headText(report),
    flowsText(report),
    qualityText(report),
    moneyText(report),
    alertsText(report),
    rulesText(report),
    examplesText(report),
    checkText(report),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** `alerts` a day against the team's capacity, in one line. */
function capacityLine({ alerts }: BacktestReport): string {
  const { verdicts, capacityPerDay, before, after } = alerts;
  const capacity = capacityPerDay === null ? 'no capacity is declared' : `capacity ${count(capacityPerDay)}`;
  return `Alerts a day (${verdicts.join(' and ')}): ${perDay(before)} before, ${perDay(after)} after; ${capacity}`;
}

function headText({ before, after, span, changed, unknown, labels }: BacktestReport): string {
  const { payments, firstTimeMs, lastTimeMs, days } = span;
  const unsure = unknown === 0 ? '' : `, ${count(unknown)} cannot be told`;
  return (
    `Rule set ${after.version} as drafted against ${before.version} as in force\n` +
    `${count(payments)} payments from ${time(firstTimeMs)} to ${time(lastTimeMs)} UTC, ${days.toFixed(1)} days\n` +
    `${count(changed)} verdicts change (${share(changed / payments)})${unsure}\n` +
    `Labels known by now: ${count(labels.fraud)} fraud, ${count(labels.genuine)} genuine; ${count(labels.unlabelled)} payments have none yet\n`
  );
}

function flowsText({ flows }: BacktestReport): string {
  const afters = BACKTEST_VERDICTS.filter(
    (verdict) => verdict !== 'unknown' || flows.some(({ after }) => after === verdict),
  );
  const befores = BACKTEST_VERDICTS.filter(
    (verdict) => verdict !== 'unknown' || flows.some(({ before }) => before === verdict),
  );
  const rows = befores.map((before) => [
    before,
    ...afters.map((after) => {
      const flow = flows.find((each) => each.before === before && each.after === after);
      return flow === undefined ? '-' : count(flow.payments);
    }),
  ]);
  return `Payments by verdict, before (down) and after (across)\n${textTable([['', ...afters], ...rows])}`;
}

function qualityText({ quality }: BacktestReport): string {
  const { before, after, newlyStopped, newlyApproved } = quality;
  const row = (name: string, found: Quality): readonly string[] => [
    name,
    count(found.fraud),
    count(found.genuine),
    count(found.unlabelled),
    share(found.precision),
    share(found.precisionAtLeast),
    share(found.recall),
  ];
  const freed = ['approved now, not before', ...Object.values(newlyApproved).map(count), '', '', ''];
  const head = ['', 'fraud', 'genuine', 'unlabelled', 'precision', 'at least', 'recall'];
  return (
    'How well stopping a payment (challenge, review or decline) tells fraud, by the labels known by now\n' +
    textTable([
      head,
      row('stopped before', before),
      row('stopped after', after),
      row('stopped now, not before', newlyStopped),
      freed,
    ]) +
    'Precision is of the labelled; at least so much if every unlabelled one is genuine. Recall is of all labelled frauds, in the ' +
    'third line of those approved before.\n'
  );
}

function moneyText({ money }: BacktestReport): string {
  const rows = money.map((line) => [
    line.currency,
    ...[
      line.fraudStopped,
      line.fraudLetThrough,
      line.genuineStopped,
      line.genuineFreed,
      line.unlabelledStopped,
      line.unlabelledFreed,
    ].map((amount) => amountText(amount, line.currency)),
  ]);
  const head = ['', 'fraud saved', 'fraud lost', 'genuine stopped', 'genuine freed', 'unlabelled stopped', 'freed'];
  return (
    'Money that the change moves: saved and stopped were approved before and are not after, lost and freed the other way round\n' +
    textTable([head, ...rows])
  );
}

function alertsText(report: BacktestReport): string {
  const { capacityPerDay, before, after } = report.alerts;
  const busiest = ({ busiestDay, onBusiestDay, daysOverCapacity }: AlertLoad): string =>
    busiestDay === null
      ? 'none'
      : `${count(onBusiestDay)} on ${busiestDay}${daysOverCapacity === null ? '' : `, over capacity on ${count(daysOverCapacity)} ${daysOverCapacity === 1 ? 'day' : 'days'}`}`;
  const over = capacityPerDay !== null && after.perDay > capacityPerDay;
  const short = report.span.days < 1 ? 'Less than a day of history: a whole day has at least so many.\n' : '';
  return (
    `${capacityLine(report)}${over ? ': MORE THAN THE TEAM CAN WORK OFF' : ''}\n${short}` +
    `The busiest day (UTC): before ${busiest(before)}; after ${busiest(after)}\n`
  );
}

function rulesText({ rules }: BacktestReport): string {
  if (rules.length === 0) return '';
  const isTold = (which: (outcome: RuleOutcome) => number): boolean =>
    rules.some(({ before, after }) => [before, after].some((outcome) => outcome !== null && which(outcome) > 0));
  const [failed, unknown] = [isTold((outcome) => outcome.failed), isTold((outcome) => outcome.unknown)];
  const row = ({ rule, before, after }: RuleLine): readonly string[] => {
    const last = after ?? before;
    return [
      rule,
      modeOf(before),
      modeOf(after),
      hits(before),
      hits(after),
      ...(last === null ? [] : [count(last.fraud), count(last.genuine), count(last.unlabelled)]),
      ...(failed ? [count(last?.failed ?? 0)] : []),
      ...(unknown ? [count(last?.unknown ?? 0)] : []),
    ];
  };
  const head = ['rule', 'before', 'after', 'hits before', 'hits after', 'fraud', 'genuine', 'unlabelled'];
  const more = [...(failed ? ['failed'] : []), ...(unknown ? ['unknown'] : [])];
  const note = failed ? 'A rule that fails to evaluate does not fire.\n' : '';
  return `What the rules hit; labels are those of the hits after\n${textTable([[...head, ...more], ...rules.map(row)], [0, 1, 2])}${note}`;
}

function examplesText({ examples, changed }: BacktestReport): string {
  if (examples.length === 0) return '';
  const rows = examples.map((example) => [
    example.transactionId,
    time(example.eventTimeMs),
    `${amountText(example.amountMinor, example.currency)} ${example.currency}`,
    example.label === 'unlabelled' ? '' : example.label,
    `${example.before}${because(example.becauseBefore)} -> ${example.after}${because(example.becauseAfter)}`,
  ]);
  return `${examples.length} of the ${count(changed)} payments whose verdict changes\n${textTable(rows, [0, 1, 3, 4])}`;
}

function checkText({ check, notes }: BacktestReport): string {
  const { payments, equal } = check;
  const said =
    payments === 0
      ? 'No payment of the span was decided by the rule set in force, so that nothing checks this computation.'
      : equal === payments
        ? `Checked: on all ${count(payments)} payments that the rule set in force decided, this computation gives the recorded verdict.`
        : `NOT RELIABLE: on ${count(payments - equal)} of ${count(payments)} payments that the rule set in force decided, this computation gives another verdict than was recorded. Please report it.`;
  return [said, ...notes, ''].join('\n');
}

function modeOf(outcome: RuleOutcome | null): string {
  if (outcome === null) return '-';
  return outcome.rollout < 100 ? `${outcome.mode} ${outcome.rollout}%` : outcome.mode;
}

function hits(outcome: RuleOutcome | null): string {
  return outcome === null ? '-' : count(outcome.hits);
}

function because(causes: readonly string[]): string {
  return causes.length === 0 ? '' : ` (${causes.map((cause) => cause.replace(/^(rule|list):/, '')).join(', ')})`;
}

function perDay({ perDay: alerts }: AlertLoad): string {
  return alerts.toLocaleString('en', { maximumFractionDigits: 1 });
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function share(value: number | null): string {
  return value === null ? '-' : `${(100 * value).toFixed(1)}%`;
}

function time(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');
}

/** Minor units as the currency is written, without its name. */
function amountText(amountMinor: number, currency: string): string {
  const digits = fractionDigits(currency);
  return (amountMinor / 10 ** digits).toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** As ISO 4217 has them; 2 for what is no currency. */
function fractionDigits(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}
